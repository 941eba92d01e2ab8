package findings

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// What could not be asked of a target takes no Pass from what was, and is no Pass by itself.
func TestWhatIsNotAskedCountsAloneOnly(t *testing.T) {
	not := Answer{Verdict: report.Inconclusive, Reason: string(report.PeerZeroNotAsked)}
	lossy := Answer{Verdict: report.Inconclusive, Reason: string(report.PathLossy)}
	lost := Answer{Verdict: report.Fail, Reason: string(report.SequenceZeroDropped)}
	for _, c := range []struct {
		answers []Answer
		asked   int
		want    report.Verdict
	}{
		{nil, 2, report.Pass},
		{[]Answer{not}, 2, report.Pass},
		{[]Answer{not}, 1, report.Inconclusive},
		{[]Answer{not, not}, 2, report.Inconclusive},
		{[]Answer{not, lossy}, 3, report.Inconclusive},
		{[]Answer{lost, not}, 2, report.Fail},
	} {
		if got := verdictOf(c.answers, c.asked); got != c.want {
			t.Errorf("%v of %d checks: %s, want %s", c.answers, c.asked, got, c.want)
		}
	}
}
