package controllers

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// An address of target.address has nobody who confirms it. So it is probed only if the administrator allows it twice: to
// the namespace, by an annotation that tenants cannot write, and at all, by the manager's ceiling. And never if it is
// part of the cluster.

// address is the endpoint that target.address names, for a TCPProbe in the tenant's namespace. An error that is a
// *Refusal says why it must not be probed.
func (r *Reconciler) address(ctx context.Context, tenant string, target *v1alpha1.AddressTarget, nodes []corev1.Node) (Endpoint, error) {
	a, err := netip.ParseAddr(target.IP)
	if err != nil {
		return Endpoint{}, refused(v1alpha1.ReasonAddressDenied, "target.address.ip %q is no IP address", cut(target.IP, 48))
	}
	const ceiling = "the manager's --address-ceiling, which the administrator sets"
	for _, check := range []func() error{
		func() error { return refuseRanges(a, r.Allow.Addresses, ceiling) },
		func() error { return r.refuseNamespace(ctx, a, tenant) },
		func() error { return r.refuseCluster(ctx, a, nodes) },
	} {
		if err := check(); err != nil {
			return Endpoint{}, err
		}
	}
	return Endpoint{Via: v1alpha1.ViaAddress, Address: a, Port: uint16(target.Port)}, nil
}

// refuseRanges reports that a is denied everywhere, or that none of the ranges has it.
func refuseRanges(a netip.Addr, ranges []netip.Prefix, whose string) error {
	if why, yes := plan.Denied(a); yes {
		return refused(v1alpha1.ReasonAddressDenied, "%s is an address that is never probed (%s)", a, why)
	}
	if slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	has := "none"
	if len(ranges) > 0 {
		has = joined(ranges)
	}
	return refused(v1alpha1.ReasonAddressNotAllowed, "%s is in none of the ranges of %s; it has: %s", a, whose, cut(has, 200))
}

func joined(ranges []netip.Prefix) string {
	texts := make([]string, len(ranges))
	for i, p := range ranges {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// refuseNamespace reports that the tenant's Namespace does not allow a. Nothing but its metadata is read.
func (r *Reconciler) refuseNamespace(ctx context.Context, a netip.Addr, tenant string) error {
	var namespace metav1.PartialObjectMetadata
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.Live.Get(ctx, types.NamespacedName{Name: tenant}, &namespace); err != nil {
		return fmt.Errorf("read Namespace %s: %w", tenant, err)
	}
	const annotation = v1alpha1.AllowedCIDRsAnnotation
	ranges, err := ParseRanges(namespace.Annotations[annotation])
	if err != nil {
		return refused(v1alpha1.ReasonAddressNotAllowed, "the annotation %s of Namespace %s: %v; an administrator has to correct it", annotation, tenant, err)
	}
	return refuseRanges(a, ranges, fmt.Sprintf("the annotation %s of Namespace %s, which an administrator sets", annotation, tenant))
}

// ParseRanges reads ranges of addresses such as "10.1.0.0/16, 2001:db8::/32".
func ParseRanges(text string) ([]netip.Prefix, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var ranges []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is no range; write one such as 10.1.0.0/16, or 10.1.2.3/32 for one address", cut(strings.TrimSpace(part), 60))
		case p != p.Masked():
			return nil, fmt.Errorf("%s has bits beyond its length; write %s for the range, or a longer prefix", p, p.Masked())
		}
		ranges = append(ranges, p)
	}
	return ranges, nil
}

// refuseCluster reports that a belongs to this cluster, whoever allows it.
func (r *Reconciler) refuseCluster(ctx context.Context, a netip.Addr, nodes []corev1.Node) error {
	if inner, ok := plan.Embedded(a); ok { // a translator leads there
		a = inner
	}
	f, err := r.forbidden(ctx, nodes)
	if err != nil {
		return err
	}
	if err := r.forbidOwn(ctx, f); err != nil {
		return err
	}
	if owner, yes := f.owner(a); yes {
		return refused(v1alpha1.ReasonAddressDenied, "%s is never probed: it belongs to %s", a, owner)
	}
	if name := podRange(a, nodes); name != "" {
		return refused(v1alpha1.ReasonAddressDenied, "%s is in the pod range of node %s, where nobody but a Pod confirms whose it is; name its Service as target.service", a, name)
	}
	return r.refuseVirtual(ctx, a)
}

// refuseVirtual reports that a is the ClusterIP of a Service. A cluster older than 1.33 does not keep a record of them.
func (r *Reconciler) refuseVirtual(ctx context.Context, a netip.Addr) error {
	var record networkingv1.IPAddress
	switch err := r.Live.Get(ctx, types.NamespacedName{Name: a.String()}, &record); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil
	case err != nil:
		return fmt.Errorf("read IPAddress %s: %w", a, err)
	}
	return refused(v1alpha1.ReasonAddressDenied, "%s is the ClusterIP of a Service; name that as target.service, via ClusterIP", a)
}

// podRange names the node whose pods have addresses like a, or "". A node's own address towards its pods is among them.
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
