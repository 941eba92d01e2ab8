package target

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// A ClusterIP leads to whatever the Service's EndpointSlices say at that moment, and tenants can write slices. So it is
// probed only if every address in every slice of the Service is that of one of its pods, whatever port, family or
// readiness the slice claims; and what came of it counts only if all that is the same when the run ends.

// Behind is what a Service's ClusterIPs led to when the run began.
type Behind struct {
	Slices []SliceVersion `json:"slices"`
	Pods   []Endpoint     `json:"pods"` // one for each
}

// SliceVersion is one version of an EndpointSlice: any change of what it says, or of its labels, makes another.
type SliceVersion struct {
	UID        types.UID `json:"uid"`
	Generation int64     `json:"generation"`
}

func versions(list []discoveryv1.EndpointSlice) []SliceVersion {
	out := make([]SliceVersion, len(list))
	for i, s := range list {
		out[i] = SliceVersion{s.UID, s.Generation}
	}
	slices.SortFunc(out, func(a, b SliceVersion) int { return cmp.Compare(a.UID, b.UID) })
	return out
}

// everyClaim lists all addresses of all slices. Their ports are of no interest: they are ports of the same pods.
func everyClaim(list []discoveryv1.EndpointSlice) (claims []Candidate) {
	for _, s := range list {
		for _, e := range s.Endpoints {
			for _, a := range e.Addresses {
				claims = append(claims, Candidate{Address: a, Family: s.AddressType, Ref: e.TargetRef})
			}
		}
	}
	slices.SortStableFunc(claims, func(a, b Candidate) int { return cmp.Compare(a.ref().Name, b.ref().Name) })
	return claims
}

// viaInput is what the rules of the ways to a Service look at.
type viaInput struct {
	service *Service
	via     []v1alpha1.Via
}

var viaRules = rules[viaInput]{
	{"headless", func(in viaInput) *Refusal {
		if !slices.Contains(in.via, v1alpha1.ViaClusterIP) || len(in.service.ClusterIPs) > 0 {
			return nil
		}
		return Refused(v1alpha1.ReasonNoClusterIP, "Service %s is headless: it has no ClusterIP; use via PodIP",
			in.service.Name)
	}},
	// No segment would cross the network.
	{"internalTrafficPolicy", func(in viaInput) *Refusal {
		if !slices.Contains(in.via, v1alpha1.ViaClusterIP) || !in.service.Local {
			return nil
		}
		return Refused(v1alpha1.ReasonNoClusterIP, "Service %s has internalTrafficPolicy Local: "+
			"its ClusterIP leads to pods of the prober's own node alone, and no segment would cross the network; use via PodIP",
			in.service.Name)
	}},
}

// clusterIPs fills in the Service's ClusterIPs as endpoints, or why they must not be.
func (r *Resolver) clusterIPs(
	ctx context.Context, g *Resolved, list []discoveryv1.EndpointSlice, forbidden Forbidden,
) error {
	claims := everyClaim(list)
	for _, c := range claims {
		if refusal := claimRules.refuse(claimInput{c, g.Service, forbidden}); refusal != nil {
			g.refuseClusterIPs(c.Address + " behind it: " + refusal.Message)
			return nil //nolint:nilerr // the run goes on without the ClusterIPs
		}
	}
	names := podsToRead(claims, "")
	if len(names) == maxPods {
		g.refuseClusterIPs(fmt.Sprintf("it leads to %d pods or more, which are too many to look at", maxPods))
		return nil
	}
	pods, err := r.pods(ctx, g.Service.Namespace, names)
	if err != nil {
		return err
	}
	if c, why := refuseAny(claims, g.Service, pods); why != "" {
		g.refuseClusterIPs(c.Address + " behind it: " + why)
		return nil
	}
	g.admitClusterIPs(&Behind{Slices: versions(list), Pods: behindPods(claims, pods)}, pods, forbidden)
	return nil
}

// refuseAny is the first claim that its live pod does not confirm, and why.
func refuseAny(claims []Candidate, service *Service, pods map[string]*corev1.Pod) (Candidate, string) {
	for _, c := range claims {
		if refusal := podRules.refuse(podInput{c, service, pods[c.Ref.Name]}); refusal != nil {
			return c, refusal.Message
		}
	}
	return Candidate{}, ""
}

func behindPods(claims []Candidate, pods map[string]*corev1.Pod) (out []Endpoint) {
	for _, c := range claims { // sorted by name
		if len(out) == 0 || out[len(out)-1].Pod != c.Ref.Name {
			out = append(out, newEndpoint(c, pods[c.Ref.Name]))
		}
	}
	return out
}

// refuseClusterIPs notes why the ClusterIPs are not probed.
func (g *Resolved) refuseClusterIPs(why string) {
	for _, a := range g.Service.ClusterIPs {
		claimed := netip.AddrPortFrom(a, uint16(g.Service.Port.Port)).String() + " (ClusterIP)"
		g.Refused = append(g.Refused, RefusedEndpoint{claimed, why})
	}
}

// admitClusterIPs takes the ClusterIPs, if any pod behind them serves.
func (g *Resolved) admitClusterIPs(behind *Behind, pods map[string]*corev1.Pod, forbidden Forbidden) {
	node, serves := commonNode(pods)
	if !serves {
		g.NotReady = max(g.NotReady, len(pods))
		return
	}
	for _, a := range g.Service.ClusterIPs {
		if _, yes := plan.Denied(a); yes || forbidden[a] != "" {
			continue // the API server gives no such ClusterIP
		}
		g.Behind = behind
		g.Endpoints = append(g.Endpoints, Endpoint{
			Via: v1alpha1.ViaClusterIP, Address: a, Port: uint16(g.Service.Port.Port), Node: node,
		})
	}
}

// commonNode is the node that all serving pods are on, or "", and whether there are any.
func commonNode(pods map[string]*corev1.Pod) (node string, found bool) {
	for _, pod := range pods {
		if !serving(pod) {
			continue
		}
		if found && node != pod.Spec.NodeName {
			return "", true
		}
		node, found = pod.Spec.NodeName, true
	}
	return node, found
}
