package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// freshFor is how long what the planner saw of a run's targets is good for letting a pod go.
const freshFor = 10 * time.Second

// outdated reports why the node's pod must not be let go on what was true when the run began: a target of it is no longer
// the pod that the planner saw, or its Service's owner has taken back the consent. A pod may wait for its turn much
// longer than an address takes to be somebody else's.
func (p *pass) outdated(ctx context.Context, s *Scene, node string) (*Refusal, error) {
	planned := p.probe.Status.ActiveRun.StartTime.Time
	if made := s.Order.CreationTimestamp.Time; made.Before(planned) { // an earlier attempt's plan, taken over
		planned = made
	}
	// A plan from later than now has no age: the clock was set back, or is another manager's.
	if age := p.now.Sub(planned); age >= 0 && age < freshFor {
		return nil, nil
	}
	if refusal, err := p.withdrawn(ctx, s, node); refusal != nil || err != nil {
		return refusal, err
	}
	switch what, err := p.leadsElsewhere(ctx, s.Frozen, p.probe.Namespace); {
	case err != nil:
		return nil, err
	case what != "":
		return refused(v1alpha1.ReasonTargetChanged, "not probed: %s before its turn came", what), nil
	}
	targets := make(map[int]bool)
	for _, target := range s.Frozen.Plan.Sources[node] {
		targets[target] = true
	}
	pods, err := p.pods(ctx, s.Frozen.namespace(p.probe.Namespace), podNames(s.Frozen, targets))
	if err != nil {
		return nil, err
	}
	for _, target := range s.Frozen.Plan.Sources[node] {
		e := s.Frozen.Endpoints[target]
		if e.Pod == "" {
			continue
		}
		if what := e.moved(pods[e.Pod]); what != "" {
			return refused(v1alpha1.ReasonTargetChanged, "not probed: %s before its turn came (%s)", what, s.Frozen.Plan.Targets[target].AddrPort()), nil
		}
	}
	return nil, nil
}

// withdrawn reports that a consent does not hold any more: of another namespace's Service to be probed, of any Service to
// have its queues filled, of the administrator to probe an address.
func (p *pass) withdrawn(ctx context.Context, s *Scene, node string) (*Refusal, error) {
	tenant, fills := p.probe.Namespace, s.Frozen.fillsFrom(node)
	var service *Service
	var err error
	switch target := s.Frozen.Target; {
	case target.Address != nil:
		err = p.stillAllowed(ctx, tenant, target.Address)
	case fills || s.Frozen.namespace(tenant) != tenant:
		service, err = p.service(ctx, tenant, target.Service)
	}
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal, nil
	case err == nil && fills:
		return refuseFilling(service), nil
	}
	return nil, err
}

func (p *pass) stillAllowed(ctx context.Context, tenant string, target *v1alpha1.AddressTarget) error {
	var nodes corev1.NodeList
	if err := p.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	_, err := p.address(ctx, tenant, target, nodes.Items)
	return err
}

// holdBack gives up the pods on record that are still gated, left so by a manager that died, if a target of theirs has
// moved meanwhile.
func (p *pass) holdBack(ctx context.Context, s *Scene) (changed bool, err error) {
	for i, node := range s.Frozen.Nodes() {
		launch, pod := s.Launches[i], s.Pods[podName(s.Order.Name, i)]
		if pod == nil || launch.UID != pod.UID || launch.Reason != "" || !gated(pod) {
			continue
		}
		refusal, err := p.outdated(ctx, s, node)
		if err != nil {
			return false, err
		}
		if refusal != nil {
			launch.Reason, launch.Message = refusal.Reason, refusal.Message
			s.Launches[i], changed = launch, true
		}
	}
	return changed, nil
}
