package verdict

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// FirstTest asks, in fresh connections in random order, for the first segment at 0 and the first at another number.
type FirstTest struct {
	Copies                // one a connection, in the order in which they were sent
	Repeats Count         // copies at 0, of the same length, after a first one that was lost
	InTime  time.Duration // what takes longer was not in time
	Alpha   float64
}

// untimely is how many were lost, or late.
func (t FirstTest) untimely(suspects bool) (n Count) {
	for _, c := range t.Copies {
		if c.Suspect != suspects {
			continue
		}
		n.Sent++
		if c.Lost || c.Delay > t.InTime {
			n.Lost++
		}
	}
	return n
}

// P is the exact p-value that the first at 0 is not in time more often only by chance.
func (t FirstTest) P() float64 {
	return moreOftenP(t.untimely(true), t.untimely(false))
}

// Significant reports whether chance is excluded.
func (t FirstTest) Significant() bool { return len(t.Copies) > 0 && t.P() <= t.Alpha }

// FirstP is the exact p-value that the first at 0 is not in time more often than its repeats only by chance.
func (t FirstTest) FirstP() float64 {
	return moreOftenP(t.untimely(true), t.Repeats)
}

// onlyFirstAlpha bounds the error of the conclusion that being the first of a connection decides. That what starts at 0
// is lost beyond chance is already shown.
const onlyFirstAlpha = 2e-3

// OnlyFirst reports whether being the first of a connection decides: its repeats fare better beyond chance.
func (t FirstTest) OnlyFirst() bool { return t.FirstP() <= onlyFirstAlpha }

// Late reports whether those that were not in time arrive after all: the last one at 0, which was given all the time
// that a late one may take, or most of the others.
func (t FirstTest) Late() bool {
	for _, c := range slices.Backward(t.Copies) {
		if c.Suspect {
			return !c.Lost || 2*t.Count(true).Lost < t.untimely(true).Lost
		}
	}
	return false
}

func firstDropped(o *Observation) (Finding, bool) {
	t := &o.Firsts
	if !t.Significant() || !t.OnlyFirst() {
		return Finding{}, false
	}
	zero, others := t.untimely(true), t.untimely(false)
	return tested(when(true, report.Fail, report.SequenceZeroFirstDropped,
		"the first of %s is lost in each connection, repeats arrive: in %d of %d fresh connections the first was lost, at "+
			"other numbers in %d of %d (p = %.1e); %d of %d repeats arrived. Each real connection stalls for a retransmission "+
			"timeout%s", o.at(), zero.Lost, zero.Sent, others.Lost, others.Sent, t.P(),
		t.Repeats.Sent-t.Repeats.Lost, t.Repeats.Sent, o.cut()))
}

// lossyFirsts is for first ones that are lost, and whose repeats are too: another one of the flow arrived all the same.
func lossyFirsts(o *Observation) (Finding, bool) {
	t := &o.Firsts
	if !t.Significant() {
		return Finding{}, false
	}
	zero, others := t.untimely(true), t.untimely(false)
	return tested(when(true, report.Fail, report.SequenceZeroLossy,
		"%s is lost more often than other segments, but not always: in %d of %d fresh connections the first was lost, at "+
			"other numbers in %d of %d (p = %.1e), and of %d repeats of the same length %d; others of this flow arrived%s",
		o.at(), zero.Lost, zero.Sent, others.Lost, others.Sent, t.P(), t.Repeats.Sent, t.Repeats.Lost, o.cut()))
}
