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

// paths returns the share as text: "about 1 of 8 paths".
func paths(s report.Share) string {
	switch {
	case s.Failed == 0 || s.Of < 2:
		return ""
	case s.Failed == s.Of:
		return fmt.Sprintf("on all of %d paths tried", s.Of)
	case 2*s.Failed > s.Of:
		return fmt.Sprintf("on %d of %d paths tried", s.Failed, s.Of)
	}
	return fmt.Sprintf("on about 1 of %.0f paths (%d of %d flows, 95 %% interval %.0f to %.0f %%)",
		float64(s.Of)/float64(s.Failed), s.Failed, s.Of, 100*s.Low, 100*s.High)
}

// Shared adds the share of paths to a message.
func Shared(message string, s report.Share) string {
	if words := paths(s); words != "" {
		return words + ": " + message
	}
	return message
}
