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

// Resolver finds out what a TCPProbe may probe from where, and looks again whether that is still so. What decides whom
// the operator's power is turned on is read from the API server itself, never from a cache.
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
	g := &Resolved{}
	if err := r.consented(ctx, probe, g); err != nil {
		return nil, err
	}
	nodes, err := r.sources(ctx, probe, g)
	if err != nil {
		return nil, err
	}
	if target := probe.Spec.Target.Address; target != nil {
		e, err := r.address(ctx, probe.Namespace, target, nodes)
		g.Endpoints = []Endpoint{e}
		return g, err
	}
	if err := r.endpoints(ctx, probe, g, nodes); err != nil {
		return nil, err
	}
	fills := FillsQueues(probe.Spec.Scenarios)
	if err := servingRules.check(servingInput{fills, g.Service, g.Endpoints}); err != nil {
		return nil, err
	}
	return g, nil
}

// RefuseSpec reports why the probe would be refused whatever the cluster looks like, or nil.
func (r *Resolver) RefuseSpec(probe *v1alpha1.TCPProbe) *Refusal {
	return specRules.refuse(specInput{probe, r.Own})
}

// consented fills in the Service, if one is the target and its owner consents to what is asked.
func (r *Resolver) consented(ctx context.Context, probe *v1alpha1.TCPProbe, g *Resolved) (err error) {
	target := probe.Spec.Target.Service
	if target == nil {
		return nil
	}
	if g.Service, err = r.service(ctx, probe.Namespace, target); err != nil {
		return err
	}
	g.Service.Host = probe.Spec.Sources.Network == v1alpha1.NetworkHost
	if err := consentRules.check(consentInput{FillsQueues(probe.Spec.Scenarios), g.Service}); err != nil {
		return err
	}
	return viaRules.check(viaInput{g.Service, target.Via})
}

// sources fills in the nodes that probe, and returns all nodes.
func (r *Resolver) sources(ctx context.Context, probe *v1alpha1.TCPProbe, g *Resolved) ([]corev1.Node, error) {
	nodes, err := r.nodes(ctx)
	if err != nil {
		return nil, err
	}
	selector, err := metav1.LabelSelectorAsSelector(&probe.Spec.Sources.Selector)
	if err != nil {
		return nil, err
	}
	g.Sources = chooseSources(nodes, selector, r.Tolerations, int(probe.Spec.Sources.Max), string(probe.UID))
	return nodes, sourceRules.check(g.Sources)
}

// nodes are those of the cache, and not copies: nobody may change them.
func (r *Resolver) nodes(ctx context.Context) ([]corev1.Node, error) {
	var nodes corev1.NodeList
	if err := r.Nodes.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return nodes.Items, nil
}

// endpoints fills in what of the Service may be probed, and what must not be.
func (r *Resolver) endpoints(ctx context.Context, probe *v1alpha1.TCPProbe, g *Resolved, nodes []corev1.Node) error {
	list, err := r.slicesOf(ctx, g.Service.Namespace, g.Service.Name)
	if err != nil {
		return err
	}
	if g.Service.Host {
		nodes = nil // pods of the host network have their addresses
	}
	forbidden, err := r.forbidden(ctx, nodes)
	if err != nil {
		return err
	}
	via := probe.Spec.Target.Service.Via
	if slices.Contains(via, v1alpha1.ViaPodIP) {
		if err := r.podIPs(ctx, g, list, forbidden, string(probe.UID)); err != nil {
			return err
		}
	}
	if slices.Contains(via, v1alpha1.ViaClusterIP) {
		if err := r.clusterIPs(ctx, g, list, forbidden); err != nil {
			return err
		}
	}
	return endpointRules.check(g)
}

// podIPs fills in the pods' own addresses.
func (r *Resolver) podIPs(
	ctx context.Context, g *Resolved, list []discoveryv1.EndpointSlice, forbidden Forbidden, seed string,
) error {
	claimed, notReady := candidates(g.Service, list)
	var asked []Candidate
	for _, c := range claimed {
		if refusal := claimRules.refuse(claimInput{c, g.Service, forbidden}); refusal != nil {
			g.Refused = append(g.Refused, RefusedEndpoint{c.String(), refusal.Message})
			continue
		}
		asked = append(asked, c)
	}
	pods, err := r.pods(ctx, g.Service.Namespace, podsToRead(asked, seed))
	if err != nil {
		return err
	}
	g.NotReady = notReady + g.admit(asked, pods)
	return nil
}
