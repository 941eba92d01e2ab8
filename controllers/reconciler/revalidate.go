package reconciler

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// freshFor is how long a check of a run's targets counts when a pod is released.
const freshFor = 10 * time.Second

// revalidator checks targets again if their last check was too long ago.
type revalidator struct {
	resolver *target.Resolver
}

// revalidate reports why the node's pod must not be released although its targets were allowed when the run was
// planned.
func (v *revalidator) revalidate(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState, node string,
) (*target.Refusal, error) {
	planned := rc.probe.Status.ActiveRun.StartTime.Time
	if created := s.ConfigMap.CreationTimestamp.Time; created.Before(planned) { // the plan of an earlier attempt
		planned = created
	}
	// A plan from the future has no age: the clock was set back, or another manager's clock differs.
	if age := rc.now.Sub(planned); age >= 0 && age < freshFor {
		return nil, nil
	}
	rp := s.RunPlan
	return v.resolver.Revalidate(ctx, rc.probe.Namespace, &rp.Snapshot, rp.Plan.Sources[node], rp.FillsFrom(node))
}
