package target

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// No Pod confirms an address of target.address. So the administrator has to allow it twice: for the namespace, by an
// annotation that tenants cannot write, and for all, by the manager's ceiling. An address that is part of the cluster
// is never probed.

// rangeInput is the input of the rules about allowed ranges. They are asked once with the manager's ceiling and once
// with the Namespace's ranges.
type rangeInput struct {
	address netip.Addr
	ranges  []netip.Prefix
	invalid error  // why the ranges cannot be read
	whose   string // what sets the ranges, for messages
}

var rangeRules = rules[rangeInput]{
	// Loopback, link-local, multicast, cloud metadata: nobody can allow these.
	{"denied everywhere", func(in rangeInput) *Refusal {
		if why, yes := plan.Denied(in.address); yes {
			return deniedEverywhere(in.address, why)
		}
		return nil
	}},
	// Ranges that cannot be parsed are refused, not guessed.
	{"readable ranges", func(in rangeInput) *Refusal {
		if in.invalid == nil {
			return nil
		}
		return Refused(v1alpha1.ReasonAddressNotAllowed, "%s: %v; an administrator has to correct it", in.whose, in.invalid)
	}},
	{"in range", func(in rangeInput) *Refusal {
		if slices.ContainsFunc(in.ranges, func(p netip.Prefix) bool { return p.Contains(in.address) }) {
			return nil
		}
		has := "none"
		if len(in.ranges) > 0 {
			has = joined(in.ranges)
		}
		return Refused(v1alpha1.ReasonAddressNotAllowed, "%s is in none of the ranges of %s; it has: %s",
			in.address, in.whose, text.Cut(has, 200))
	}},
}

func deniedEverywhere(a netip.Addr, why string) *Refusal {
	return Refused(v1alpha1.ReasonAddressDenied, "%s is an address that is never probed (%s)", a, why)
}

// clusterInput is the input of the rules about the cluster's own addresses.
type clusterInput struct {
	address   netip.Addr
	forbidden Forbidden
	nodes     []corev1.Node
	virtual   bool // it is the ClusterIP of a Service
}

var clusterRules = rules[clusterInput]{
	// Nodes, the API server and the operator are no targets.
	{"owner", func(in clusterInput) *Refusal {
		if owner, yes := in.forbidden.owner(in.address); yes {
			return Refused(v1alpha1.ReasonAddressDenied, "%s is never probed: it belongs to %s", in.address, owner)
		}
		return nil
	}},
	// A pod's address is probed by its Service only: then the Pod confirms the address.
	{"pod range", func(in clusterInput) *Refusal {
		if name := podRange(in.address, in.nodes); name != "" {
			return Refused(v1alpha1.ReasonAddressDenied, "%s is in the pod range of node %s, "+
				"where nobody but a Pod confirms whose it is; name its Service as target.service", in.address, name)
		}
		return nil
	}},
	// A ClusterIP, too, is probed by its Service only.
	{"ClusterIP", func(in clusterInput) *Refusal {
		if !in.virtual {
			return nil
		}
		return Refused(v1alpha1.ReasonAddressDenied,
			"%s is the ClusterIP of a Service; name that as target.service, via ClusterIP",
			in.address)
	}},
}

// address is the endpoint that target.address names, for a TCPProbe in the tenant's namespace. An error that is a
// *Refusal says why it must not be probed.
func (r *Resolver) address(
	ctx context.Context, tenant string, target *v1alpha1.AddressTarget, nodes []corev1.Node,
) (Endpoint, error) {
	a, err := netip.ParseAddr(target.IP)
	if err != nil {
		return Endpoint{}, Refused(v1alpha1.ReasonAddressDenied, "target.address.ip %q is no IP address",
			text.Cut(target.IP, 48))
	}
	if why, yes := plan.Denied(a); yes {
		return Endpoint{}, deniedEverywhere(a, why)
	}
	// First what nobody can allow: else an administrator would allow two ranges for nothing.
	if err := r.outsideCluster(ctx, a, nodes); err != nil {
		return Endpoint{}, err
	}
	ceiling := rangeInput{address: a, ranges: r.Allow.Addresses,
		whose: "the manager's --address-ceiling, which the administrator sets"}
	if err := rangeRules.check(ceiling); err != nil {
		return Endpoint{}, err
	}
	if err := r.allowedByNamespace(ctx, a, tenant); err != nil {
		return Endpoint{}, err
	}
	return Endpoint{Via: v1alpha1.ViaAddress, Address: a, Port: uint16(target.Port)}, nil
}

// allowedByNamespace checks the ranges of the tenant's Namespace. It reads the Namespace's metadata only.
func (r *Resolver) allowedByNamespace(ctx context.Context, a netip.Addr, tenant string) error {
	var namespace metav1.PartialObjectMetadata
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.Live.Get(ctx, types.NamespacedName{Name: tenant}, &namespace); err != nil {
		return fmt.Errorf("read Namespace %s: %w", tenant, err)
	}
	const annotation = v1alpha1.AllowedCIDRsAnnotation
	whose := fmt.Sprintf("the annotation %s of Namespace %s", annotation, tenant)
	ranges, err := ParseRanges(namespace.Annotations[annotation])
	if err == nil {
		whose += ", which an administrator sets"
	}
	return rangeRules.check(rangeInput{address: a, ranges: ranges, invalid: err, whose: whose})
}

// outsideCluster refuses an address that belongs to this cluster, whoever allows it.
func (r *Resolver) outsideCluster(ctx context.Context, a netip.Addr, nodes []corev1.Node) (err error) {
	if inner, ok := plan.Embedded(a); ok { // what a translator or tunnel sends there
		a = inner
	}
	in := clusterInput{address: a, nodes: nodes}
	if in.forbidden, err = r.forbidden(ctx, nodes, false); err != nil {
		return err
	}
	if err := r.forbidOwn(ctx, in.forbidden); err != nil {
		return err
	}
	if in.virtual, err = r.isClusterIP(ctx, a); err != nil {
		return err
	}
	return clusterRules.check(in)
}

// podRange is the name of the node whose pod CIDRs contain a, or "". They also contain the node's own address on its
// pod network.
func podRange(a netip.Addr, nodes []corev1.Node) string {
	for i := range nodes {
		for _, text := range append(slices.Clone(nodes[i].Spec.PodCIDRs), nodes[i].Spec.PodCIDR) {
			if p, err := netip.ParsePrefix(text); err == nil && p.Contains(a) {
				return nodes[i].Name
			}
		}
	}
	return ""
}
