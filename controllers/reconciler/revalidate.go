package reconciler

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// freshFor is how long what the planner saw of a run's targets is good for letting a pod go.
const freshFor = 10 * time.Second

// revalidator looks again at targets that were seen too long ago.
type revalidator struct {
	resolver *target.Resolver
}

// revalidate reports why the node's pod must not be let go on what was true when the run began.
func (v *revalidator) revalidate(
	ctx context.Context, rc *reconcileContext, s *probepod.RunState, node string,
) (*target.Refusal, error) {
	planned := rc.probe.Status.ActiveRun.StartTime.Time
	if made := s.ConfigMap.CreationTimestamp.Time; made.Before(planned) { // an earlier attempt's plan, taken over
		planned = made
	}
	// A plan from later than now has no age: the clock was set back, or is another manager's.
	if age := rc.now.Sub(planned); age >= 0 && age < freshFor {
		return nil, nil
	}
	f := s.RunPlan
	return v.resolver.Revalidate(ctx, rc.probe.Namespace, &f.Snapshot, f.Plan.Sources[node], f.FillsFrom(node))
}
