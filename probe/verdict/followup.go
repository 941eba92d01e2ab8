package verdict

import (
	"fmt"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// FollowUp is what one more flow asked once all others to the target were over.
type FollowUp struct {
	Alone   Count // suspects that each came more than a second after any other segment at 0
	Options OptionsTest
	SYNs    SYNTest
}

// OptionsTest asks whether copies are lost by the timestamps option: suspects and controls of the kind that is lost,
// and suspects of the other kind.
type OptionsTest struct {
	Copies
	Stamped bool // those with the option are lost
	Alpha   float64
}

// counts are those of the suspects of the kind that is lost, of the controls of that kind, and of the other suspects.
func (t OptionsTest) counts() (lost, controls, others Count) {
	var same, other Copies
	for _, c := range t.Copies {
		if c.Stamped == t.Stamped {
			same = append(same, c)
		} else {
			other = append(other, c)
		}
	}
	return same.Count(true), same.Count(false), other.Count(true)
}

// Lost counts the suspects of the kind that is lost.
func (t OptionsTest) Lost() Count {
	lost, _, _ := t.counts()
	return lost
}

// P is the exact p-value that suspects of this kind are lost more often than controls of the same kind, and more often
// than suspects of the other kind, only by chance: the larger of the two.
func (t OptionsTest) P() float64 {
	lost, controls, others := t.counts()
	return max(moreOftenP(lost, controls), moreOftenP(lost, others))
}

// Significant reports whether chance is excluded.
func (t OptionsTest) Significant() bool { return len(t.Copies) > 0 && t.P() <= t.Alpha }

func (t OptionsTest) String() string {
	lost, controls, others := t.counts()
	with, without := "with", "without"
	if !t.Stamped {
		with, without = without, with
	}
	return fmt.Sprintf("%s the timestamps option %d of %d are lost, %s it %d of %d, of controls %s it %d of %d, in "+
		"random order (p = %.1e)", with, lost.Lost, lost.Sent, without, others.Lost, others.Sent, with, controls.Lost,
		controls.Sent, t.P())
}

// LostAlways reports whether a result says that each copy of a suspect was lost because of its number.
func LostAlways(r report.Result) bool {
	return r.Verdict == report.Fail &&
		(r.Reason == report.SequenceZeroDropped || r.Reason == report.NumbersAlikeDropped)
}

// HarmsKernel reports whether a result says that kernel connections were harmed, and crafted ones were not.
func HarmsKernel(r report.Result) bool {
	return r.Verdict == report.Fail &&
		(r.Reason == report.SequenceZeroStalled || r.Reason == report.SequenceZeroDied)
}

// Tells reports whether the follow-up found another reason than the result has.
func (f FollowUp) Tells() bool {
	return f.Alone.Lost < f.Alone.Sent || f.Options.Significant() || f.SYNs.Significant()
}

// WithFollowUp is a result beside what its follow-up found. alpha is the error that the run states.
func WithFollowUp(r report.Result, f FollowUp, alpha float64) report.Result {
	switch {
	case f.SYNs.Significant():
		return withFirstSYNs(r, f.SYNs, alpha)
	case f.Options.Significant():
		r.Verdict, r.Reason, r.Alpha = report.Fail, report.SequenceZeroDroppedByOptions, alpha
		r.Message = fmt.Sprintf("by options: %s. Before, %s", f.Options, r.Message)
	case f.Tells():
		r.Reason, r.Share = report.SequenceZeroLossy, nil
		r.Message = fmt.Sprintf("not lost always: %s. Beside others, %s", f.alone(), r.Message)
	}
	return r
}

// alone says what became of those that came alone.
func (f FollowUp) alone() string {
	text := fmt.Sprintf("%d of %d arrived that came alone, a second or more after any other at 0",
		f.Alone.Sent-f.Alone.Lost, f.Alone.Sent)
	if f.Alone.Lost == 0 {
		text += ", so a limit on their rate fits"
	}
	return text
}
