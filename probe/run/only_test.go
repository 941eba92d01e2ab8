package run

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A check that the plan does not ask of a target has no result and does not count as progress.
func TestOnlyPlannedChecksHaveResults(t *testing.T) {
	total := 0
	j := newJob(&plan.Plan{
		Targets: make([]plan.Target, 3), Sources: map[string][]int{"kn1": {0, 2}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "AcceptQueue", Only: map[string][]int{"kn1": {2}}}},
	}, "kn1", func(_, of int) { total = of })
	for position, checks := range [][]int{{0}, {0, 1}} {
		for _, c := range checks {
			j.add(position*2+c, report.Result{Scenario: j.checks[c].Type}, answer{flows: j.notStarted(plan.ErrInvalid)})
		}
	}
	if found := j.found(); len(found) != 3 || total != 3 || found[2].Scenario != "AcceptQueue" {
		t.Errorf("%d results of %d: %+v", len(found), total, found)
	}
}
