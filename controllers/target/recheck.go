package target

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Rechecked is what is known of a run's targets after its reports have arrived, by index.
type Rechecked struct {
	Changed map[int]Change
	Policy  map[int]string // the ingress NetworkPolicy that selects the pod
}

// Recheck reads the targets that were probed again. Nothing is published about a pod that is no longer the one that
// was probed, or that a NetworkPolicy may shield. Policies are read only if there are silent targets, from which some
// source received nothing.
func (r *Resolver) Recheck(
	ctx context.Context, tenant string, s *Snapshot, probed []int, silent map[int]bool,
) (Rechecked, error) {
	found := Rechecked{Changed: make(map[int]Change), Policy: make(map[int]string)}
	namespace := s.Namespace(tenant)
	pods, err := r.pods(ctx, namespace, s.podsBehind(probed))
	if err != nil {
		return found, err
	}
	behind, err := r.behindChanged(ctx, s, tenant)
	if err != nil {
		return found, err
	}
	for _, target := range probed {
		change := Change{What: behind, Moved: true}
		if e := s.Endpoints[target]; e.Pod != "" {
			change = e.changed(pods[e.Pod])
		} else if e.Via != v1alpha1.ViaClusterIP {
			continue
		}
		if change.What != "" {
			found.Changed[target] = change
		}
	}
	if len(silent) == 0 {
		return found, nil
	}
	policies, err := r.policies(ctx, namespace)
	if err != nil {
		return found, err
	}
	found.addPolicies(s, silent, pods, policies)
	return found, nil
}

func (rechecked Rechecked) addPolicies(
	s *Snapshot, silent map[int]bool, pods map[string]*corev1.Pod, policies []networkingv1.NetworkPolicy,
) {
	for target := range silent {
		if pod := pods[s.Endpoints[target].Pod]; pod != nil {
			if name := ingressPolicy(pod, policies); name != "" {
				rechecked.Policy[target] = name
			}
		}
	}
}

// behindChanged reports what has changed behind the run's ClusterIPs since the run was planned. It is "" if nothing
// has, or if no ClusterIP is probed.
func (r *Resolver) behindChanged(ctx context.Context, s *Snapshot, tenant string) (string, error) {
	if s.Behind == nil {
		return "", nil
	}
	pods, err := r.pods(ctx, s.Namespace(tenant), PodsOf(s.Behind.Pods))
	if err != nil {
		return "", err
	}
	if what := s.Behind.changed(pods); what != "" {
		return what, nil
	}
	return r.clusterIPChanged(ctx, s, tenant)
}

// changed reports the first change of a pod behind the ClusterIPs, or "". Readiness is in the slices.
func (b *Behind) changed(pods map[string]*corev1.Pod) string {
	for _, e := range b.Pods {
		if change := e.changed(pods[e.Pod]); change.What != "" && !change.Unready {
			return change.What
		}
	}
	return ""
}

// clusterIPChanged does the same without reading the pods. It compares the Service and its EndpointSlices, by which
// kube-proxy or its replacement translates.
func (r *Resolver) clusterIPChanged(ctx context.Context, s *Snapshot, tenant string) (string, error) {
	if s.Behind == nil {
		return "", nil
	}
	service, err := r.service(ctx, tenant, s.Target.Service)
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Message, nil
	case err != nil:
		return "", err
	case !s.leadsTo(service):
		return fmt.Sprintf("Service %s has another ClusterIP or port", service.Name), nil
	}
	list, err := r.slicesOf(ctx, service.Namespace, service.Name)
	tooMany := errors.As(err, &refusal)
	if tooMany || err == nil && !slices.Equal(versions(list), s.Behind.Slices) {
		return fmt.Sprintf("the EndpointSlices of Service %s were changed", service.Name), nil
	}
	return "", err
}
