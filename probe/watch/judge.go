package watch

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// judgeRounds judges the rounds that are over.
func (p *Path) judgeRounds(now time.Time) {
	var left []*round
	for _, r := range p.open {
		if !r.over(now) {
			left = append(left, r)
			continue
		}
		p.judgeRound(now, r)
	}
	p.open = left
}

func (p *Path) judgeRound(now time.Time, r *round) {
	o := r.outcome(p.onTime())
	p.count.Rounds++
	p.voids.add(o == voided)
	if o == voided {
		p.count.Void++
		return
	}
	q := r.question
	if o == bothLost {
		p.count.Silent++
		if r.began.After(p.reached) { // else what was sent later was answered
			p.noteSilence(now)
		}
		p.noteSilent(now, q)
		return
	}
	q.silent, p.silence = 0, 0
	p.noteAnswered(now)
	p.controls.add(!r.control.onTime(p.onTime()))
	switch o {
	case suspectLost:
		p.count.SuspectsLost++
		r.suspect.judged = true
		q.miss(r.suspect, false)
		p.hasten(now)
	case suspectLate:
		p.count.Late++
		q.miss(r.suspect, true)
		p.hasten(now)
	case controlLost:
		p.count.ControlsLost++
		q.acquit()
	default:
		q.acquit()
	}
	p.noteWell(now, q, o)
}

// hasten lets the next pair begin soon.
func (p *Path) hasten(now time.Time) {
	if soon := now.Add(p.pause()); soon.Before(p.next) {
		p.next = soon
	}
}

// Answered says that an acknowledgement came at that time: named tells which segment it names as arrived twice; ok is
// false if it names none.
func (p *Path) Answered(now time.Time, named segmentBlock, ok bool) {
	if !p.standing {
		return
	}
	if !ok {
		p.answeredUnnamed(now)
		return
	}
	a := p.asked[named]
	if a == nil || a.arrived() {
		return
	}
	p.arrive(a, now)
}

// arrive notes that the answer to a segment came.
func (p *Path) arrive(a *Ask, now time.Time) {
	a.answered = now
	p.ever = true
	if !a.Suspect {
		p.learn(a.took())
		return
	}
	if b := p.block; b != nil && !slices.Contains(b.asks, a) && a.Variant.Name == b.question.Name {
		b.late = b.late || a.judged
	}
	if a.judged {
		a.judged = false
		p.count.SuspectsLost, p.count.Late = p.count.SuspectsLost-1, p.count.Late+1
		for _, q := range p.questions {
			if q.Name == a.Variant.Name {
				q.revoke()
			}
		}
	}
}

// learn takes a control's round trip into the smoothed one (RFC 6298 section 2).
func (p *Path) learn(took time.Duration) { p.rtt += (took - p.rtt) / 8 }

// answeredUnnamed takes an acknowledgement that names nothing for the answer to the last segment, if only one waits and
// the answer is on time. Of others it is not known what they answer: what is being judged is then void.
func (p *Path) answeredUnnamed(now time.Time) {
	if !p.serial {
		if p.unnamed++; !p.ever && p.unnamed >= enoughUnnamed { // it is half-open, or names no duplicates
			p.serial = true
			p.void()
			p.touch(now, namesNothing)
		}
		return
	}
	if a := p.last(); a != nil && !a.arrived() && now.Sub(a.sent) <= p.onTime() {
		p.arrive(a, now)
		return
	}
	p.void()
}

// enoughUnnamed is how many acknowledgements must name nothing, and none anything, until that is known of a peer.
const enoughUnnamed = 2

const namesNothing = "the peer names nothing that arrives twice, as one that defers its accept until data comes"

// Late says that this host was late, or lost packets. The rounds that are open prove nothing then. A block does: its
// order is random, so this harms suspects and others alike.
func (p *Path) Late() {
	for _, r := range p.open {
		r.void = true
	}
}

// void says that what is being asked proves nothing: this host's kernel interferes.
func (p *Path) void() {
	p.Late()
	if p.block != nil {
		p.block.void = true
	}
}

// Misses reports whether something is about to count as lost, so that it has to be known whether this host is to blame.
func (p *Path) Misses(now time.Time) bool {
	if b := p.block; b != nil {
		return b.over(now) && !b.allAnswered()
	}
	for _, r := range p.open {
		if r.over(now) && (!r.suspect.arrived() || !r.control.arrived()) {
			return true
		}
	}
	return false
}

// mostVoid is the share of void rounds from which this host is too noisy to blame a path.
const mostVoid = 0.2

func (p *Path) noisy() bool { return p.voids.n >= 10 && p.voids.share() > mostVoid }

// suspect begins a block if enough suspects in a row were lost or late.
func (p *Path) suspect(now time.Time) {
	q := p.pursued()
	if q == nil || q.lost+q.late < enough(p.controls.share()) || !p.mayAsk(now) {
		return
	}
	p.count.Suspicions++
	p.tell(now, Event{Kind: Suspected, Variants: []string{q.Name}, Message: fmt.Sprintf(
		"%s at sequence 0 was lost or late %d times in a row, and the same at other numbers was answered", q.Suspect,
		q.lost+q.late)})
	p.startBlock(q, now, false)
}

// judgeBlock judges the block if it is over.
func (p *Path) judgeBlock(now time.Time) {
	b := p.block
	if b == nil || !b.over(now) {
		return
	}
	p.block, p.next = nil, now
	p.count.Blocks++
	if b.void {
		p.voids.add(true)
		if p.mayAsk(now) {
			p.startBlock(b.question, now, b.second)
			return
		}
		p.dismiss(now, b, "this host was late or lost packets meanwhile")
		return
	}
	t := b.tally(p.onTime())
	for _, a := range b.asks {
		if !a.Suspect {
			p.controls.add(!a.onTime(p.onTime()))
		}
	}
	reason, chance, undecided := b.verdict(t)
	switch {
	case reason != "":
		p.convict(now, b, reason, chance, t)
	case undecided && !b.second:
		p.startBlock(b.question, now, true)
	case undecided:
		p.backOff(now)
		p.dismiss(now, b, fmt.Sprintf("too much else was lost: %d of %d others (p = %.1e)", t.controlsLost, t.Beacons,
			chance))
	default:
		p.dismiss(now, b, fmt.Sprintf("%d of %d suspects in random order among others were answered", t.Suspects-
			t.suspectsLost, t.Suspects))
	}
}

// dismiss drops a suspicion.
func (p *Path) dismiss(now time.Time, b *block, why string) {
	b.question.acquit()
	p.claim = nil
	p.tell(now, Event{Kind: Dismissed, Variants: []string{b.question.Name}, Message: why})
}

// convict takes a block that excludes chance. Of a path that was well a second connection from the same port has to
// confirm it.
func (p *Path) convict(now time.Time, b *block, reason report.Reason, chance float64, t tally) {
	q := b.question
	q.acquit()
	p.backoff = 0
	switch {
	case p.failed():
		q.convicted, q.arrives = reason, false
		p.tell(now, Event{Kind: AlsoFails, Verdict: report.Fail, Reason: reason, Variants: []string{q.Name}, P: chance,
			Message: describe(q, reason, t, chance)})
		p.nameRule(now)
	case p.claim == nil:
		p.claim = &claim{q, reason, chance, t}
		p.request = SamePort
	default:
		if p.claim.reason == report.SequenceZeroDelayed {
			reason = p.claim.reason
		}
		p.fail(now, q, reason, t, max(chance, p.claim.p))
	}
}
