package controllers

import (
	"context"
	"fmt"
	"time"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// freshFor is how long what the planner saw of a run's targets is good for letting a pod go.
const freshFor = 10 * time.Second

// moved reports which target of the node is no longer the pod that the planner saw, or "". A pod may wait for its turn
// much longer than an address takes to be somebody else's; so it is not let go on what was true when the run began.
func (p *pass) moved(ctx context.Context, s *Scene, node string) (string, error) {
	planned := p.probe.Status.ActiveRun.StartTime.Time
	if made := s.Order.CreationTimestamp.Time; made.Before(planned) { // an earlier attempt's plan, taken over
		planned = made
	}
	if p.now.Sub(planned) < freshFor {
		return "", nil
	}
	targets := make(map[int]bool)
	for _, target := range s.Frozen.Plan.Sources[node] {
		targets[target] = true
	}
	pods, err := p.pods(ctx, p.probe.Namespace, podNames(s.Frozen, targets))
	if err != nil {
		return "", err
	}
	for _, target := range s.Frozen.Plan.Sources[node] {
		e := s.Frozen.Endpoints[target]
		if what := e.moved(pods[e.Pod]); what != "" {
			return fmt.Sprintf("not probed: %s before its turn came (%s)", what, s.Frozen.Plan.Targets[target].AddrPort()), nil
		}
	}
	return "", nil
}

// holdBack gives up the pods on record that are still gated, left so by a manager that died, if a target of theirs has
// moved meanwhile.
func (p *pass) holdBack(ctx context.Context, s *Scene) (changed bool, err error) {
	for i, node := range s.Frozen.Nodes() {
		launch, pod := s.Launches[i], s.Pods[podName(s.Order.Name, i)]
		if pod == nil || launch.UID != pod.UID || launch.Reason != "" || !gated(pod) {
			continue
		}
		what, err := p.moved(ctx, s, node)
		if err != nil {
			return false, err
		}
		if what != "" {
			launch.Reason, launch.Message = v1alpha1.ReasonTargetChanged, what
			s.Launches[i], changed = launch, true
		}
	}
	return changed, nil
}
