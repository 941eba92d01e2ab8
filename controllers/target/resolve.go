package target

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Resolver finds what a TCPProbe may probe and from which nodes, and checks later whether that still holds. What
// decides who is probed is read from the API server, never from a cache, which may be stale.
type Resolver struct {
	Live        client.Reader // reads from the API server itself
	Nodes       client.Reader // reads nodes, from a cache
	Own         OwnNamespaces
	Allow       Allowances
	Tolerations []corev1.Toleration // of probe pods
}

// Resolve reads everything that a run starts from. An error that is a *Refusal says why the run cannot start.
func (r *Resolver) Resolve(ctx context.Context, probe *v1alpha1.TCPProbe) (*Resolved, error) {
	if err := specRules.check(specInput{probe, r.Own}); err != nil {
		return nil, err
	}
	if err := allowanceRules.check(allowanceInput{probe, r.Allow}); err != nil {
		return nil, err
	}
	res := &Resolved{}
	if err := r.consented(ctx, probe, res); err != nil {
		return nil, err
	}
	nodes, err := r.sources(ctx, probe, res)
	if err != nil {
		return nil, err
	}
	if target := probe.Spec.Target.Address; target != nil {
		e, err := r.address(ctx, probe.Namespace, target, nodes)
		res.Endpoints = []Endpoint{e}
		return res, err
	}
	if err := r.endpoints(ctx, probe, res, nodes); err != nil {
		return nil, err
	}
	if FillsQueues(probe.Spec.Scenarios) {
		if err := r.keepServing(ctx, res); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// RefuseSpec reports why the probe would be refused whatever the cluster looks like, or nil.
func (r *Resolver) RefuseSpec(probe *v1alpha1.TCPProbe) *Refusal {
	return specRules.refuse(specInput{probe, r.Own})
}

// consented sets the Service, if the target is one and its owner consents to what is asked.
func (r *Resolver) consented(ctx context.Context, probe *v1alpha1.TCPProbe, res *Resolved) (err error) {
	target := probe.Spec.Target.Service
	if target == nil {
		return nil
	}
	if res.Service, err = r.service(ctx, probe.Namespace, target); err != nil {
		return err
	}
	res.Service.Host = probe.Spec.Sources.Network == v1alpha1.NetworkHost
	if err := consentRules.check(consentInput{FillsQueues(probe.Spec.Scenarios), res.Service}); err != nil {
		return err
	}
	return viaRules.check(viaInput{res.Service, target.Via})
}

// sources sets the nodes that probe, and returns all nodes.
func (r *Resolver) sources(ctx context.Context, probe *v1alpha1.TCPProbe, res *Resolved) ([]corev1.Node, error) {
	nodes, err := r.nodes(ctx)
	if err != nil {
		return nil, err
	}
	selector, err := metav1.LabelSelectorAsSelector(&probe.Spec.Sources.Selector)
	if err != nil {
		return nil, err
	}
	res.Sources = chooseSources(nodes, selector, r.Tolerations, int(probe.Spec.Sources.Max), string(probe.UID))
	return nodes, sourceRules.check(res.Sources)
}

// nodes are the cache's own objects and not copies. They must not be changed.
func (r *Resolver) nodes(ctx context.Context) ([]corev1.Node, error) {
	var nodes corev1.NodeList
	if err := r.Nodes.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return nodes.Items, nil
}

// endpoints sets which endpoints of the Service may be probed and which are refused.
func (r *Resolver) endpoints(ctx context.Context, probe *v1alpha1.TCPProbe, res *Resolved, nodes []corev1.Node) error {
	list, err := r.slicesOf(ctx, res.Service.Namespace, res.Service.Name)
	if err != nil {
		return err
	}
	forbidden, err := r.forbidden(ctx, nodes, res.Service.Host) // pods on the host network have the nodes' addresses
	if err != nil {
		return err
	}
	via := probe.Spec.Target.Service.Via
	if slices.Contains(via, v1alpha1.ViaPodIP) {
		if err := r.podIPs(ctx, res, list, forbidden, string(probe.UID)); err != nil {
			return err
		}
	}
	if slices.Contains(via, v1alpha1.ViaClusterIP) {
		if err := r.clusterIPs(ctx, res, list, forbidden); err != nil {
			return err
		}
	}
	return endpointRules.check(res)
}

// podIPs adds the pods' own addresses.
func (r *Resolver) podIPs(
	ctx context.Context, res *Resolved, list []discoveryv1.EndpointSlice, forbidden Forbidden, seed string,
) error {
	claimed, notReady := candidates(res.Service, list)
	var asked []Candidate
	for _, c := range claimed {
		if refusal := claimRules.refuse(claimInput{c, res.Service, forbidden}); refusal != nil {
			res.Refused = append(res.Refused, RefusedEndpoint{c.String(), refusal.Message})
			continue
		}
		asked = append(asked, c)
	}
	pods, err := r.pods(ctx, res.Service.Namespace, podsToRead(asked, seed))
	if err != nil {
		return err
	}
	res.Unready, res.PortLess = notReady, withoutPort(res.Service, list)
	res.NotReady = len(notReady) + res.admit(asked, pods)
	return nil
}
