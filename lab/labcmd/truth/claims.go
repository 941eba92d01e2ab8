package truth

import (
	"math"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// claim is what a result says of real connections by its reason. It returns what contradicts it, or "".
type claim func(at Suffering, all []*Suffering, r report.Result) string

// claims has the reasons of SequenceWrap that say more than that something at 0 is harmed.
var claims = map[report.Reason]claim{
	report.SequenceZeroDropped:          dropped,
	report.NumbersAlikeDropped:          dropped,
	report.SequenceZeroDelayed:          late,
	report.SequenceZeroFirstDropped:     stalled,
	report.SequenceZeroDroppedBySize:    bySize,
	report.SequenceZeroLossy:            notAlways,
	report.SequenceZeroDied:             died,
	report.ResetAtZero:                  reset,
	report.SequenceZeroDroppedByOptions: byOptions,
	report.WrapDropped:                  beyondLost,
	report.WrapWindowDropped:            onceAcknowledged,
}

// claimOf returns what a reason of Fail claims.
func claimOf(r report.Reason) claim {
	if c, ok := claims[r]; ok {
		return c
	}
	return harmed
}

func harmed(_ Suffering, all []*Suffering, _ report.Result) string {
	if !some(all, func(s Suffering) bool { return s.State() == AtZero }) {
		return "it blames 0, and connections that cross it do not suffer more than others"
	}
	return ""
}

// dropped claims that a segment with the flags of the last one is lost at 0 always, whatever its size.
func dropped(at Suffering, all []*Suffering, r report.Result) string {
	switch {
	case some(all, Suffering.spared):
		return "it says lost, and connections that come alone get through"
	case at.several:
		return harmed(at, all, r)
	case onOtherPaths(at, r):
		return harmed(at, all, r)
	case at.State() == Unharmed, at.State() == Late:
		return "it says that all at 0 is lost, and connections that send so much there get through"
	case at.Crossing.Died == 0:
		return "it says lost, and connections only stall"
	case everyPath(r) && 4*at.Crossing.Unharmed > at.Crossing.Told():
		return "it says lost on all paths, and many connections get through, each from a port of its own"
	}
	return ""
}

// severalPaths is from how many flows on "all of the paths" says something of the paths of connections.
const severalPaths = 8

// everyPath reports whether the result says that all paths lose.
func everyPath(r report.Result) bool {
	return r.Share != nil && r.Share.Of >= severalPaths && r.Share.Failed == r.Share.Of
}

// onOtherPaths reports whether connections that get through may all have been on paths that the result does not blame.
func onOtherPaths(at Suffering, r report.Result) bool {
	return r.Share != nil && r.Share.Failed < r.Share.Of && at.State() == Unharmed &&
		math.Pow(1-r.Share.Low, float64(at.Crossing.Told())) > mayMiss
}

// late claims that what starts at 0 arrives, but later.
func late(at Suffering, all []*Suffering, _ report.Result) string {
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

// stalled claims that each connection that sends a segment with the suspect's flags there repeats it and gets through.
func stalled(at Suffering, all []*Suffering, r report.Result) string {
	if at.State() == AtZero && at.Crossing.Died > 0 {
		return "it says that repetitions arrive, and connections die"
	}
	if some(all, Suffering.spared) {
		return "it says that each first one is lost, and those of connections that come alone are not"
	}
	if !at.several && at.State() == Unharmed {
		return "it says that each connection stalls, and those that send so much there do not"
	}
	return harmed(at, all, r)
}

// bySize claims that some sizes are lost and others not.
func bySize(at Suffering, all []*Suffering, r report.Result) string {
	unharmed := func(s Suffering) bool { return s.State() == Unharmed || s.State() == Late }
	if len(all) > 1 && !some(all, unharmed) {
		return "it says that the size decides, and connections of all sizes suffer"
	}
	return harmed(at, all, r)
}

// byOptions claims that the options decide, which are the same in all of the oracle's connections: what these send in
// one segment is lost in all sizes, or in none.
func byOptions(_ Suffering, all []*Suffering, r report.Result) string {
	lost := func(s Suffering) bool { return !s.several && s.State() == AtZero }
	unharmed := func(s Suffering) bool { return !s.several && (s.State() == Unharmed || s.State() == Late) }
	with := strings.HasPrefix(r.Message, "by options: with the timestamps option")
	without := strings.HasPrefix(r.Message, "by options: without the timestamps option")
	switch {
	case some(all, lost) && some(all, unharmed):
		return "it says that the options decide, and the size does"
	case with == without:
		return "it does not say which options are lost"
	case with && !some(all, lost):
		return "it says that segments with timestamps are lost, and connections, whose segments carry them, do not suffer"
	case without && some(all, lost):
		return "it says that segments without timestamps are lost, and connections, whose segments carry them, suffer"
	}
	return ""
}

// beyondLost claims that nothing gets through that starts beyond the wrap, or so close to it as the message says.
func beyondLost(at Suffering, all []*Suffering, r report.Result) string {
	near := strings.Contains(r.Message, "on they arrive)") && strings.Contains(r.Message, "what crosses 0 arrives")
	if (at.State() == Unharmed || at.State() == Late) && !(near && at.across) {
		return "it says that what is beyond the wrap is lost, and connections get through"
	}
	return harmed(at, all, r)
}

// onceAcknowledged claims that what starts at 0 arrives once what is before it has been acknowledged. Each of the
// oracle's connections waits for that.
func onceAcknowledged(at Suffering, _ []*Suffering, _ report.Result) string {
	if at.State() == AtZero {
		return "it says that what starts at 0 arrives after an acknowledgement, and connections that wait for it suffer"
	}
	return ""
}

// notAlways claims that some of what starts at 0 arrives.
func notAlways(at Suffering, all []*Suffering, r report.Result) string {
	if at.State() == AtZero && at.Crossing.Died == at.Crossing.Told() &&
		!some(all, func(s Suffering) bool { return s.Crossing.Died < s.Crossing.Told() }) {
		return "it says that not all is lost, and every connection dies"
	}
	return harmed(at, all, r)
}

// died claims that connections are ended by something.
func died(at Suffering, all []*Suffering, r report.Result) string {
	if !some(all, func(s Suffering) bool { return s.Crossing.Died > 0 }) {
		return "it says that connections die, and they only stall"
	}
	return harmed(at, all, r)
}

// reset claims that connections are ended by an RST, and not only delayed.
func reset(at Suffering, all []*Suffering, r report.Result) string {
	if at.State() == AtZero && at.Crossing.Died == 0 {
		return "it says that connections are reset, and they only stall"
	}
	return died(at, all, r)
}

func some(all []*Suffering, is func(Suffering) bool) bool {
	return slices.ContainsFunc(all, func(s *Suffering) bool { return is(*s) })
}
