package controllers

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// maxPods is how many of a Service's pods one run asks for, at most. Each is one live read.
const maxPods = 256

// gather reads everything that a run starts from. What decides whom the operator's power is turned on is read from
// the API server itself, never from a cache. An error that is a *Refusal says why the run cannot start.
func (r *Reconciler) gather(ctx context.Context, probe *v1alpha1.TCPProbe) (*Gathered, error) {
	for _, refusal := range []*Refusal{refuseSpec(probe, r.Own), r.Allow.refuseNetwork(probe)} {
		if refusal != nil {
			return nil, refusal
		}
	}
	g := &Gathered{}
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
	if refusal := g.refuseOnlyEndpoint(probe); refusal != nil {
		return nil, refusal
	}
	return g, nil
}

// consented fills in the Service, if one is the target and its owner consents to what is asked.
func (r *Reconciler) consented(ctx context.Context, probe *v1alpha1.TCPProbe, g *Gathered) (err error) {
	target := probe.Spec.Target.Service
	if target == nil {
		return nil
	}
	if g.Service, err = r.service(ctx, probe.Namespace, target); err != nil {
		return err
	}
	g.Service.Host = probe.Spec.Sources.Network == v1alpha1.NetworkHost
	for _, refusal := range []*Refusal{refuseConsent(probe, g.Service), g.Service.refuseVia(target)} {
		if refusal != nil {
			return refusal
		}
	}
	return nil
}

// sources fills in the nodes that probe, and returns all nodes.
func (r *Reconciler) sources(ctx context.Context, probe *v1alpha1.TCPProbe, g *Gathered) ([]corev1.Node, error) {
	var nodes corev1.NodeList
	if err := r.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	selector, err := metav1.LabelSelectorAsSelector(&probe.Spec.Sources.Selector)
	if err != nil {
		return nil, err
	}
	g.Sources = chooseSources(nodes.Items, selector, r.Prober.Tolerations, int(probe.Spec.Sources.Max), string(probe.UID))
	if refusal := g.Sources.refuse(); refusal != nil {
		return nil, refusal
	}
	return nodes.Items, nil
}

// endpoints fills in what of the Service may be probed, and what must not be.
func (r *Reconciler) endpoints(ctx context.Context, probe *v1alpha1.TCPProbe, g *Gathered, nodes []corev1.Node) error {
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
	return g.refuse()
}

// podIPs fills in the pods' own addresses.
func (r *Reconciler) podIPs(ctx context.Context, g *Gathered, list []discoveryv1.EndpointSlice, forbidden Forbidden, seed string) error {
	claimed, notReady := candidates(g.Service, list)
	var asked []Candidate
	for _, c := range claimed {
		if why := forbidden.refuseClaim(c, g.Service); why != "" {
			g.LeftOut = append(g.LeftOut, LeftOut{c.String(), why})
			continue
		}
		asked = append(asked, c)
	}
	pods, err := r.pods(ctx, g.Service.Namespace, someOf(asked, seed))
	if err != nil {
		return err
	}
	g.NotReady = notReady + g.admit(asked, pods)
	return nil
}

// someOf names the pods to ask for, at most maxPods, the same ones in every run.
func someOf(asked []Candidate, seed string) []string {
	var names []string
	for _, c := range asked { // sorted by name
		if len(names) == 0 || names[len(names)-1] != c.Ref.Name {
			names = append(names, c.Ref.Name)
		}
	}
	return rendezvous(seed, names, maxPods)
}

// admit takes the candidates that their live pods confirm, each address and port once however slices spell it, and
// counts those that are only not Ready.
func (g *Gathered) admit(asked []Candidate, pods map[string]*corev1.Pod) (notReady int) {
	admitted := make(map[Endpoint]bool)
	for _, c := range asked {
		pod, read := pods[c.Ref.Name]
		if !read {
			continue // beyond maxPods
		}
		switch why := refusePod(c, g.Service, pod); {
		case why != "":
			g.LeftOut = append(g.LeftOut, LeftOut{c.String(), why})
		case !serving(pod):
			notReady++
		default:
			if e := newEndpoint(c, pod); !admitted[e] {
				admitted[e] = true
				g.Endpoints = append(g.Endpoints, e)
			}
		}
	}
	return notReady
}

func (g *Gathered) refuse() error {
	switch {
	case len(g.Endpoints) > 0:
		return nil
	case len(g.LeftOut) > 0:
		return held(v1alpha1.ReasonEndpointsRefused, "none of the endpoints of Service %s may be probed; %s", g.Service.Name, leftOutMessage(g.LeftOut))
	case g.NotReady > 0:
		return held(v1alpha1.ReasonNoEndpoints, "none of the %d endpoints of Service %s is Ready", g.NotReady, g.Service.Name)
	}
	return held(v1alpha1.ReasonNoEndpoints, "Service %s has no endpoints", g.Service.Name)
}

// String is status.target: what is probed, as people name it.
func (g *Gathered) String() string {
	if g.Service != nil {
		return g.Service.String()
	}
	return netip.AddrPortFrom(g.Endpoints[0].Address, g.Endpoints[0].Port).String()
}

// note says for Accepted what is probed, from where, and who cannot.
func (g *Gathered) note() string {
	what := g.String()
	if g.Service != nil {
		what = fmt.Sprintf("%d endpoints of %s", len(g.Endpoints), what)
	}
	if g.Behind != nil {
		what += fmt.Sprintf(", its ClusterIP among them (%d pods behind it),", len(g.Behind.Pods))
	}
	text := fmt.Sprintf("probing %s from %d nodes", what, len(g.Sources.Planned)) + g.Fills
	if g.NotReady > 0 {
		text += fmt.Sprintf("; %d more are not Ready", g.NotReady)
	}
	if len(g.Sources.Unable) > 0 {
		text += "; cannot probe: " + listed(g.Sources.Unable)
	}
	return text
}

// pods reads pods by name, uncached. A pod that does not exist is in the map as nil.
func (r *Reconciler) pods(ctx context.Context, namespace string, names []string) (map[string]*corev1.Pod, error) {
	found := make([]*corev1.Pod, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, name := range names {
		group.Go(func() (err error) {
			found[i], err = r.pod(ctx, types.NamespacedName{Namespace: namespace, Name: name})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	pods := make(map[string]*corev1.Pod, len(names))
	for i, name := range names {
		pods[name] = found[i]
	}
	return pods, nil
}

// pod reads one pod, uncached; nil if there is none.
func (r *Reconciler) pod(ctx context.Context, key types.NamespacedName) (*corev1.Pod, error) {
	var pod corev1.Pod
	switch err := r.Live.Get(ctx, key, &pod); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Pod %s: %w", key, err)
	}
	return &pod, nil
}
