package truth

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// claim is what a reason says of real connections. It returns what contradicts it, or "".
type claim func(at Suffering, all []*Suffering) string

// claims has the reasons of SequenceWrap that say more than that something at 0 is harmed.
var claims = map[report.Reason]claim{
	report.SequenceZeroDropped:          dropped,
	report.NumbersAlikeDropped:          dropped,
	report.SequenceZeroDelayed:          late,
	report.SequenceZeroFirstDropped:     stalled,
	report.SequenceZeroDroppedBySize:    bySize,
	report.SequenceZeroLossy:            notAlways,
	report.SequenceZeroDied:             died,
	report.ResetAtZero:                  died,
	report.SequenceZeroDroppedByOptions: byOptions,
	report.WrapDropped:                  beyondLost,
	report.WrapWindowDropped:            mayBeSpared,
}

// claimOf returns what a reason of Fail claims.
func claimOf(r report.Reason) claim {
	if c, ok := claims[r]; ok {
		return c
	}
	return harmed
}

func harmed(_ Suffering, all []*Suffering) string {
	if !some(all, func(s Suffering) bool { return s.State() == AtZero || s.State() == Undecided }) {
		return "it blames 0, and connections that cross it do not suffer more than others"
	}
	return ""
}

// dropped claims that a segment with the flags of the last one is lost at 0 always, whatever its size.
func dropped(at Suffering, all []*Suffering) string {
	switch {
	case some(all, Suffering.spared):
		return "it says lost, and connections that come alone get through"
	case at.several:
		return harmed(at, all)
	case at.State() == Unharmed, at.State() == Late:
		return "it says that all at 0 is lost, and connections that send so much there get through"
	case at.Crossing.Died == 0:
		return "it says lost, and connections only stall"
	}
	return ""
}

// late claims that what starts at 0 arrives, but later.
func late(at Suffering, all []*Suffering) string {
	switch {
	case at.State() == AtZero && at.Crossing.Died > 0:
		return "it says late, and connections die"
	case some(all, Suffering.spared):
		return "it says late, and connections that come alone are not"
	case !some(all, func(s Suffering) bool { return s.State() == Late || s.State() == AtZero }):
		return "it says late, and connections that cross 0 are as fast as others"
	}
	return ""
}

// stalled claims that connections get through after a repetition.
func stalled(at Suffering, all []*Suffering) string {
	if at.State() == AtZero && at.Crossing.Died > 0 {
		return "it says that repetitions arrive, and connections die"
	}
	if some(all, Suffering.spared) {
		return "it says that each first one is lost, and those of connections that come alone are not"
	}
	return harmed(at, all)
}

// bySize claims that some sizes are lost and others not.
func bySize(at Suffering, all []*Suffering) string {
	unharmed := func(s Suffering) bool { return s.State() == Unharmed || s.State() == Late }
	if len(all) > 1 && !some(all, unharmed) {
		return "it says that the size decides, and connections of all sizes suffer"
	}
	return harmed(at, all)
}

// byOptions claims that the options decide, which are the same in all of the oracle's connections: what these send in
// one segment is lost in all sizes, or in none.
func byOptions(_ Suffering, all []*Suffering) string {
	lost := func(s Suffering) bool { return !s.several && s.State() == AtZero }
	unharmed := func(s Suffering) bool { return !s.several && (s.State() == Unharmed || s.State() == Late) }
	if some(all, lost) && some(all, unharmed) {
		return "it says that the options decide, and the size does"
	}
	return ""
}

// beyondLost claims that nothing gets through that starts beyond the wrap.
func beyondLost(at Suffering, all []*Suffering) string {
	if at.State() == Unharmed || at.State() == Late {
		return "it says that what is beyond the wrap is lost, and connections get through"
	}
	return harmed(at, all)
}

// mayBeSpared claims nothing of connections: those that wait for the acknowledgement of what is before 0 get through.
func mayBeSpared(Suffering, []*Suffering) string { return "" }

// notAlways claims that some of what starts at 0 arrives.
func notAlways(at Suffering, all []*Suffering) string {
	if at.State() == AtZero && at.Crossing.Died == at.Crossing.Told() &&
		!some(all, func(s Suffering) bool { return s.Crossing.Died < s.Crossing.Told() }) {
		return "it says that not all is lost, and every connection dies"
	}
	return harmed(at, all)
}

// died claims that connections are ended by something.
func died(at Suffering, all []*Suffering) string {
	if !some(all, func(s Suffering) bool { return s.Crossing.Died > 0 }) {
		return "it says that connections die, and they only stall"
	}
	return harmed(at, all)
}

func some(all []*Suffering, is func(Suffering) bool) bool {
	return slices.ContainsFunc(all, func(s *Suffering) bool { return is(*s) })
}
