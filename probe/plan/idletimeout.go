package plan

// Bounds of IdleTimeout.
const (
	MinIdleSeconds     = 5
	MaxIdleSeconds     = 3500 // with the time to ask it fits into MaxDeadline, whatever the rate
	DefaultIdleSeconds = 30   // it fits into the usual deadline of a run
)

// IdleConnections is how many connections to a target IdleTimeout has at the same time at most.
const IdleConnections = 16

// What IdleTimeout takes beside the longest silence: some seconds to ask what is missing until chance is excluded, and
// the segments that open, ask and end the connections.
const (
	IdleAskSeconds = 15
	IdleSegments   = 200
)

// IdleSeconds is the time that IdleTimeout takes.
func IdleSeconds(most, packetsPerSecond int) int {
	return most + IdleAskSeconds + IdleSegments/packetsPerSecond
}

// validIdling checks that every IdleTimeout says how long connections are silent, and that all of them fit into the
// deadline: a source asks one after the other.
func (p *Plan) validIdling() error {
	seconds := 0
	for i, s := range p.Scenarios {
		switch o := s.IdleTimeout; {
		case s.Type != "IdleTimeout" && o != nil:
			return invalid("scenario %d has idleTimeout, which belongs to type IdleTimeout", i)
		case s.Type != "IdleTimeout":
			continue
		case o == nil:
			return invalid("scenario %d of type IdleTimeout has no idleTimeout.maxSeconds: how long are connections silent?", i)
		case o.MaxSeconds < MinIdleSeconds || o.MaxSeconds > MaxIdleSeconds:
			return invalid("scenario %d has idleTimeout.maxSeconds %d; need %d to %d", i, o.MaxSeconds, MinIdleSeconds,
				MaxIdleSeconds)
		}
		seconds += IdleSeconds(s.IdleTimeout.MaxSeconds, p.PacketsPerSecond)
	}
	if seconds > p.DeadlineSeconds {
		return invalid("IdleTimeout takes %d s (maxSeconds, and the time to ask what is missing), and the deadline is %d s; "+
			"lower maxSeconds or raise the deadline", seconds, p.DeadlineSeconds)
	}
	return nil
}
