package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// A Service of another namespace is probed only if its owner lets the TCPProbe's namespace in, and only if no
// NetworkPolicy restricts egress of that namespace: probe pods are in a namespace of their own, which it does not
// select, so they would lead past it.

// service reads the Service that target names, for a TCPProbe in the tenant's namespace. An error that is a *Refusal says
// why it must not be probed.
func (r *Reconciler) service(ctx context.Context, tenant string, target *v1alpha1.ServiceTarget) (*Service, error) {
	key := types.NamespacedName{Namespace: cmp.Or(target.Namespace, tenant), Name: target.Name}
	if refusal := r.Own.refuseService(key.Namespace); refusal != nil {
		return nil, refusal
	}
	var svc corev1.Service
	err := r.Live.Get(ctx, key, &svc)
	foreign := key.Namespace != tenant
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return nil, fmt.Errorf("read Service %s: %w", key, err)
	case foreign && (err != nil || !allowsFrom(&svc, tenant)):
		return nil, refuseForeign(key, tenant)
	case err != nil:
		return nil, refused(v1alpha1.ReasonServiceNotFound, "there is no Service %s in namespace %s", key.Name, key.Namespace)
	}
	service, refusal := resolveService(&svc, target)
	if refusal != nil {
		return nil, refusal
	}
	if service.Foreign = foreign; foreign {
		return service, r.refuseEgress(ctx, tenant, service)
	}
	return service, nil
}

// allowsFrom reports whether the Service's owner lets TCPProbes of the namespace in. There is no wildcard: "*" is no
// namespace's name.
func allowsFrom(svc *corev1.Service, namespace string) bool {
	for name := range strings.SplitSeq(svc.Annotations[v1alpha1.AllowFromAnnotation], ",") {
		if strings.TrimSpace(name) == namespace {
			return true
		}
	}
	return false
}

// refuseForeign does not tell whether the Service exists: that is its owner's business.
func refuseForeign(key types.NamespacedName, tenant string) *Refusal {
	return refused(v1alpha1.ReasonConsentMissing, "namespace %s has no Service %s that may be probed from namespace %s; whoever owns it can allow that by its annotation %s, a list of namespaces such as %q",
		key.Namespace, key.Name, tenant, v1alpha1.AllowFromAnnotation, tenant)
}

func (r *Reconciler) refuseEgress(ctx context.Context, tenant string, service *Service) error {
	if r.Allow.PastEgressPolicies {
		return nil
	}
	var policies networkingv1.NetworkPolicyList
	if err := r.Live.List(ctx, &policies, client.InNamespace(tenant)); err != nil {
		return fmt.Errorf("list the NetworkPolicies of namespace %s: %w", tenant, err)
	}
	if name := egressPolicy(policies.Items); name != "" {
		return refused(v1alpha1.ReasonEgressPolicy, "NetworkPolicy %s restricts egress of namespace %s, and probe pods would lead past it to %s; "+
			"create the TCPProbe in namespace %s, or have the administrator start the manager with --past-egress-policies", name, tenant, service, service.Namespace)
	}
	return nil
}

// egressPolicy is the name of the first NetworkPolicy that governs egress of any pod, or "". Which pods it selects
// says nothing: the prober stands for none of them.
func egressPolicy(policies []networkingv1.NetworkPolicy) string {
	i := slices.IndexFunc(policies, func(p networkingv1.NetworkPolicy) bool { return governsEgress(&p) })
	if i < 0 {
		return ""
	}
	return policies[i].Name
}

// governsEgress: without policyTypes, a policy governs egress if it has rules for it (networking/v1,
// NetworkPolicySpec).
func governsEgress(p *networkingv1.NetworkPolicy) bool {
	return slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) || len(p.Spec.PolicyTypes) == 0 && len(p.Spec.Egress) > 0
}
