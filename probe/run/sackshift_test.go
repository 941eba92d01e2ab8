package run

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// What one flow saw of SACK options is said in each result of its target, and of no other.
func TestSACKShiftIsNoted(t *testing.T) {
	j := newJob(&plan.Plan{Targets: make([]plan.Target, 2), Sources: map[string][]int{"kn1": {0, 1}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "AcceptQueue"}}}, "kn1", nil)
	for i := range 4 {
		o := flow.Outcome{Finding: verdict.Finding{Verdict: report.Pass, Reason: report.NotReached}, SACKShifted: i == 0}
		j.add(i, report.Result{Scenario: "x"}, answer{flows: []flow.Outcome{o, {Finding: o.Finding}}})
	}
	j.conclude(t.Context())
	for i, r := range j.results {
		if noted := strings.Contains(r.Message, "SACK options"); noted != (i < 2) {
			t.Errorf("result %d: %q", i, r.Message)
		}
	}
}
