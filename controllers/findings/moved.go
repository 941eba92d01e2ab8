package findings

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// withoutMoved replaces the report of every source that probed a target whose address may have become another pod's.
// Nothing of such a report counts, not even what it says of other targets: its sums, its words and its room are shared
// by all of them, so any part of it could tell what answers at that address.
func withoutMoved(
	rp *runplan.RunPlan, rechecked target.Rechecked, outcomes []probepod.Outcome,
) []probepod.Outcome {
	out := slices.Clone(outcomes)
	for i, o := range out {
		if o.State != probepod.Reported {
			continue
		}
		for _, t := range rp.Plan.Sources[o.Source] {
			if change := rechecked.Changed[t]; change.Moved {
				out[i] = probepod.Outcome{Source: o.Source, State: probepod.Lost, Reason: v1alpha1.ReasonTargetChanged,
					Message: "its report is not counted: " + change.What}
				break
			}
		}
	}
	return out
}
