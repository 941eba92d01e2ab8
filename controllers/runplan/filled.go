package runplan

import (
	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// FilledPods are the pods whose queues the run fills, from whichever source.
func (rp *RunPlan) FilledPods() map[string]bool {
	filled := make(map[string]bool)
	for i, s := range rp.Plan.Scenarios {
		if s.Type != string(v1alpha1.AcceptQueue) {
			continue
		}
		for source, targets := range rp.Plan.Sources {
			for _, target := range targets {
				if rp.Plan.Asks(source, plan.Check{Scenario: i}, target) {
					filled[rp.Endpoints[target].Pod] = true
				}
			}
		}
	}
	return filled
}
