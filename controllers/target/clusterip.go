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

// A ClusterIP leads to whatever the Service's EndpointSlices list at that moment, and tenants can write slices. So it
// is probed only if every address in every slice belongs to one of the Service's pods, whatever port, family or
// readiness the slice states. A result counts only if all this is unchanged when the run ends.

// Behind is what a Service's ClusterIPs led to when the run was planned.
type Behind struct {
	Slices []SliceVersion `json:"slices"`
	Pods   []Endpoint     `json:"pods"` // one entry for each pod
}

// SliceVersion is one version of an EndpointSlice. Any change of its content or labels makes another version.
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

// everyClaim lists all addresses of all slices. It leaves out the ports: they are ports of the same pods.
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

// viaInput is the input of the rules about via.
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
	// The ClusterIP leads to pods of the same node only, so no segment would cross the network.
	{"internalTrafficPolicy", func(in viaInput) *Refusal {
		if !slices.Contains(in.via, v1alpha1.ViaClusterIP) || !in.service.Local {
			return nil
		}
		return Refused(v1alpha1.ReasonNoClusterIP, "Service %s has internalTrafficPolicy Local: "+
			"its ClusterIP leads to pods of the prober's own node alone, and no segment would cross the network; use via PodIP",
			in.service.Name)
	}},
}

// clusterIPs adds the Service's ClusterIPs to the endpoints, or to the refused ones.
func (r *Resolver) clusterIPs(
	ctx context.Context, res *Resolved, list []discoveryv1.EndpointSlice, forbidden Forbidden,
) error {
	claims := everyClaim(list)
	for _, c := range claims {
		if refusal := claimRules.refuse(claimInput{c, res.Service, forbidden}); refusal != nil {
			res.refuseClusterIPs(c.Address + " behind it: " + refusal.Message)
			return nil //nolint:nilerr // the run goes on without the ClusterIPs
		}
	}
	names := podsToRead(claims, "")
	if len(names) == maxPods {
		res.refuseClusterIPs(fmt.Sprintf("it leads to %d pods or more, which are too many to look at", maxPods))
		return nil
	}
	pods, err := r.pods(ctx, res.Service.Namespace, names)
	if err != nil {
		return err
	}
	if c, why := refuseAny(claims, res.Service, pods); why != "" {
		res.refuseClusterIPs(c.Address + " behind it: " + why)
		return nil
	}
	res.admitClusterIPs(&Behind{Slices: versions(list), Pods: behindPods(claims, pods)}, pods, forbidden)
	return nil
}

// refuseAny is the first claim that its live Pod does not confirm, and why.
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

// refuseClusterIPs adds the ClusterIPs to the refused endpoints.
func (res *Resolved) refuseClusterIPs(why string) {
	for _, a := range res.Service.ClusterIPs {
		claimed := netip.AddrPortFrom(a, uint16(res.Service.Port.Port)).String() + " (ClusterIP)"
		res.Refused = append(res.Refused, RefusedEndpoint{claimed, why})
	}
}

// admitClusterIPs adds the ClusterIPs to the endpoints, if any pod behind them serves.
func (res *Resolved) admitClusterIPs(behind *Behind, pods map[string]*corev1.Pod, forbidden Forbidden) {
	node, serves := commonNode(pods)
	if !serves {
		res.NotReady = max(res.NotReady, len(pods))
		return
	}
	for _, a := range res.Service.ClusterIPs {
		_, denied := plan.Denied(a)
		if _, owned := forbidden.owner(a); denied || owned {
			continue // the API server assigns no such ClusterIP
		}
		res.Behind = behind
		res.Endpoints = append(res.Endpoints, Endpoint{
			Via: v1alpha1.ViaClusterIP, Address: a, Port: uint16(res.Service.Port.Port), Node: node,
		})
	}
}

// commonNode is the node that all serving pods are on, or "" if there are several. found reports whether any pod
// serves.
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
