package watch

import "time"

// round is one heartbeat: a suspect and a control in random order.
type round struct {
	question *question
	suspect  *Ask
	control  *Ask
	unsent   []*Ask
	began    time.Time
	judge    time.Time
	void     bool
}

// outcome is what a round shows.
type outcome int

const (
	healthy     outcome = iota
	suspectLost         // the control was answered
	suspectLate         // the control was answered on time
	controlLost         // the suspect was answered
	bothLost
	voided
)

// outcome judges the round.
func (r *round) outcome(bound time.Duration) outcome {
	switch {
	case r.void:
		return voided
	case !r.suspect.arrived() && !r.control.arrived():
		return bothLost
	case !r.suspect.arrived():
		return suspectLost
	case !r.control.arrived():
		return controlLost
	case !r.suspect.onTime(bound) && r.control.onTime(bound):
		return suspectLate
	}
	return healthy
}

// over reports whether nothing more can come of the round, or no longer.
func (r *round) over(now time.Time) bool {
	return len(r.unsent) == 0 && (r.suspect.arrived() && r.control.arrived() || !now.Before(r.judge))
}

// leastOnTime is how late any answer may be: delayed acknowledgements take 40 ms.
const leastOnTime = 60 * time.Millisecond

// onTime is how long an answer may take without being late.
func (p *Path) onTime() time.Duration { return max(leastOnTime, 4*p.rtt) }

// startRound makes the next pair. The length of data differs from that of the rounds just before.
func (p *Path) startRound(now time.Time) {
	q := p.nextQuestion()
	p.rounds++
	length := roundLength(p.rounds)
	r := &round{began: now, question: q, suspect: suspect(q.Variant, length), control: p.control(q.Variant, length)}
	r.unsent = []*Ask{r.suspect, r.control}
	if p.random.IntN(2) == 0 {
		r.unsent = []*Ask{r.control, r.suspect}
	}
	r.judge = now.Add(max(p.onTime(), p.roundWait()))
	p.open = append(p.open, r)
}

// Waits and pauses of rounds.
const (
	touchPause = 50 * time.Millisecond  // between the pairs of a connection that lasts for a moment
	touchWait  = 250 * time.Millisecond // for their answers
	quickest   = 500 * time.Millisecond // from one pair to the next once a suspect was lost, if heartbeats are rarer
)

// roundWait is how long a pair's answers are waited for. An answer that comes later is not lost either: see arrive.
func (p *Path) roundWait() time.Duration {
	if p.Touching() {
		return touchWait
	}
	return min(p.settings.Heartbeat, quickest)
}

// pause is the time to the next pair: a heartbeat, an eighth of it more or less.
func (p *Path) pause() time.Duration {
	switch {
	case p.Touching() && p.silence == 0:
		return touchPause
	case p.Touching():
		return touchWait
	case p.pursued() != nil || p.silence > 0:
		return p.jittered(min(p.settings.Heartbeat, quickest))
	}
	return p.jittered(p.settings.Heartbeat)
}

func (p *Path) jittered(d time.Duration) time.Duration {
	return d*7/8 + time.Duration(p.random.Int64N(int64(d/4)+1))
}
