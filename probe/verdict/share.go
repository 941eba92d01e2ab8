package verdict

import (
	"fmt"
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// ShareOf estimates the share of affected paths from the flows that failed, with a 95 % Clopper-Pearson interval. The
// coverage is an estimate, because two stages with the same hash function do not choose independently.
func ShareOf(failed, of int) report.Share {
	bad := 1.0 / 16 // the coverage is for this share if none failed
	if failed > 0 {
		bad = float64(failed) / float64(of)
	}
	return report.Share{
		Failed: failed, Of: of,
		Low: 1 - UpperBound(of-failed, of, 0.975), High: UpperBound(failed, of, 0.975),
		Coverage: 1 - math.Pow(1-bad, float64(of)),
	}
}

// Spread says on which flows of a check a finding was made, and what else than the path may explain why on these.
type Spread struct {
	Flows   report.Flows
	Again   Repeats
	Lengths []LengthTried // of flows with a verdict, those that were asked again included
	Hops    []report.NextHop
}

// Share returns the share of paths. ok is false if nothing shows that the path decides which flows fail: neither do all
// flows agree, nor does each source port give the same answer again.
func (s Spread) Share() (share report.Share, ok bool) {
	n := s.Flows
	decided := n.Pass + n.Fail
	switch {
	case decided == 0:
		return report.Share{}, false
	case n.Fail == 0, n.Fail == n.Tried, s.length() == "" && s.Again.ByPort():
		return ShareOf(n.Fail, decided), true
	}
	return report.Share{}, false
}

// Explain adds to a message on which flows or paths the finding was made.
func (s Spread) Explain(message string) string {
	if words := s.words(); words != "" {
		return words + ": " + message
	}
	return message
}

func (s Spread) words() string {
	n := s.Flows
	share, ofPaths := s.Share()
	hop := s.hop()
	switch {
	case n.Fail == 0 || n.Tried < 2:
		return ""
	case n.Fail == n.Tried:
		return fmt.Sprintf("on all of %d paths tried", n.Tried)
	case ofPaths && hop != "":
		return s.paths(share) + ", " + hop
	case ofPaths:
		return s.paths(share)
	case hop != "":
		return "on " + s.flows() + ", " + hop
	}
	return "on " + s.flows() + s.notThePath()
}

// hop says by which next hops flows fail. It says nothing if a failed flow's hop is not known, or if something else may
// be why: the length, or that the same source port gave other answers.
func (s Spread) hop() string {
	if sumHops(s.Hops).Lost < s.Flows.Fail || s.length() != "" || s.Again.Differ() {
		return ""
	}
	return byHop(s.Hops)
}

// paths returns the share as text: "about 1 of 8 paths".
func (s Spread) paths(share report.Share) string {
	if 2*share.Failed > share.Of {
		return fmt.Sprintf("on %d of %d paths tried", share.Failed, share.Of) + s.undecided()
	}
	return fmt.Sprintf("on about 1 of %.0f paths (%s, 95 %% interval %.0f to %.0f %%)",
		float64(share.Of)/float64(share.Failed), s.flows(), 100*share.Low, 100*share.High)
}

// flows counts the flows that failed: "2 of 16 flows", "2 of 2 decided flows of 16".
func (s Spread) flows() string {
	n := s.Flows
	if decided := n.Pass + n.Fail; decided < n.Tried {
		return fmt.Sprintf("%d of %d decided flows of %d", n.Fail, decided, n.Tried)
	}
	return fmt.Sprintf("%d of %d flows", n.Fail, n.Tried)
}

func (s Spread) undecided() string {
	if decided := s.Flows.Pass + s.Flows.Fail; decided < s.Flows.Tried {
		return fmt.Sprintf(" (of %d flows %d are undecided)", s.Flows.Tried, s.Flows.Tried-decided)
	}
	return ""
}

// notThePath says what explains that some flows fail and others do not, if it is known.
func (s Spread) notThePath() string {
	switch length := s.length(); {
	case s.Flows.Pass == 0:
		return ""
	case length != "":
		return " (" + length + ": the length decides, not the path)"
	case s.Again.Differ():
		return " (asked again, the same source ports gave other answers, so it is not the path that decides: length, " +
			"time, order or chance)"
	}
	return " (not shown that the path decides: too few source ports were asked again)"
}
