package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/apiread"
)

// A Service of another namespace is probed only if its owner consents, and only if no NetworkPolicy restricts egress
// of the TCPProbe's namespace. Probe pods run in a namespace of their own, which such a policy does not select. They
// would bypass it.

// namespaceInput is the input of the rules about a Service's namespace. They are asked before the Service is read.
type namespaceInput struct {
	own       OwnNamespaces
	namespace string
	service   string
}

var namespaceRules = rules[namespaceInput]{
	// What runs in the operator's own namespaces is never a target.
	{"operator", func(in namespaceInput) *Refusal {
		if !in.own.has(in.namespace) {
			return nil
		}
		return Refused(v1alpha1.ReasonNamespaceDenied, "namespace %s belongs to the operator itself, "+
			"and what runs there is never probed", in.namespace)
	}},
	// The API server is never probed, whoever would consent.
	{"API server", func(in namespaceInput) *Refusal {
		if in.namespace != "default" || in.service != "kubernetes" {
			return nil
		}
		return Refused(v1alpha1.ReasonKubernetesService, "default/kubernetes is the API server, which is never probed")
	}},
}

// accessInput is the input of the rules about who may probe a Service.
type accessInput struct {
	tenant  string // the TCPProbe's namespace
	key     types.NamespacedName
	service *corev1.Service // nil: there is none
}

func (in accessInput) foreign() bool { return in.key.Namespace != in.tenant }

var accessRules = rules[accessInput]{
	// The owner of a Service of another namespace has to consent. The refusal does not tell whether the Service exists:
	// only the namespace's own users may know that.
	{"consent of another namespace", func(in accessInput) *Refusal {
		if !in.foreign() || in.service != nil && allowsFrom(in.service, in.tenant) {
			return nil
		}
		return Refused(v1alpha1.ReasonConsentMissing, "namespace %s has no Service %s that may be probed from namespace %s; "+
			"whoever owns it can allow that by its annotation %s, a list of namespaces such as %q",
			in.key.Namespace, in.key.Name, in.tenant, v1alpha1.AllowFromAnnotation, in.tenant)
	}},
	{"existence", func(in accessInput) *Refusal {
		if in.service != nil {
			return nil
		}
		return Refused(v1alpha1.ReasonServiceNotFound, "there is no Service %s in namespace %s", in.key.Name,
			in.key.Namespace)
	}},
}

// egressInput is the input of the rules about egress from the tenant's namespace.
type egressInput struct {
	tenant   string
	service  *Service
	policies []networkingv1.NetworkPolicy // of the tenant's namespace
}

var egressRules = rules[egressInput]{
	// Probe pods would bypass a policy that restricts the tenant's own pods.
	{"NetworkPolicy", func(in egressInput) *Refusal {
		name := egressPolicy(in.policies)
		if name == "" {
			return nil
		}
		return Refused(v1alpha1.ReasonEgressPolicy, "NetworkPolicy %s restricts egress of namespace %s, "+
			"and probe pods would lead past it to %s; create the TCPProbe in namespace %s, "+
			"or have the administrator start the manager with --past-egress-policies",
			name, in.tenant, in.service, in.service.Namespace)
	}},
}

// service reads the Service that target names, for a TCPProbe in the tenant's namespace. An error that is a *Refusal
// says why it must not be probed.
func (r *Resolver) service(ctx context.Context, tenant string, target *v1alpha1.ServiceTarget) (*Service, error) {
	in := accessInput{tenant: tenant, key: types.NamespacedName{Namespace: cmp.Or(target.Namespace, tenant),
		Name: target.Name}}
	if err := namespaceRules.check(namespaceInput{r.Own, in.key.Namespace, in.key.Name}); err != nil {
		return nil, err
	}
	var err error
	if in.service, err = r.readService(ctx, in); err != nil {
		return nil, err
	}
	if err := accessRules.check(in); err != nil {
		return nil, err
	}
	service, refusal := resolveService(in.service, target)
	if refusal != nil {
		return nil, refusal
	}
	if service.Foreign = in.foreign(); service.Foreign {
		return service, r.refuseEgress(ctx, tenant, service)
	}
	return service, nil
}

// readService reads the Service; nil if there is none. One of another namespace that is too large is none: the refusal
// must not tell that it exists.
func (r *Resolver) readService(ctx context.Context, in accessInput) (*corev1.Service, error) {
	held, done := apiread.Hold(ctx)
	defer done()
	var svc corev1.Service
	var large *apiread.TooLargeError
	switch err := r.Live.Get(held, in.key, &svc); {
	case err == nil:
		return reduceService(&svc), nil
	case apierrors.IsNotFound(err), errors.As(err, &large) && in.foreign():
		return nil, nil
	case errors.As(err, &large):
		return nil, Refused(v1alpha1.ReasonTooLarge, "Service %s has more than %d MiB: take out what is not needed",
			in.key.Name, apiread.MostBytes>>20)
	default:
		return nil, fmt.Errorf("read Service %s: %w", in.key, err)
	}
}

// allowsFrom reports whether the Service's owner consents to TCPProbes of the namespace. There is no wildcard: no
// namespace is named "*".
func allowsFrom(svc *corev1.Service, namespace string) bool {
	for name := range strings.SplitSeq(svc.Annotations[v1alpha1.AllowFromAnnotation], ",") {
		if strings.TrimSpace(name) == namespace {
			return true
		}
	}
	return false
}

func (r *Resolver) refuseEgress(ctx context.Context, tenant string, service *Service) error {
	if r.Allow.PastEgressPolicies {
		return nil
	}
	policies, err := r.policies(ctx, tenant)
	if err != nil {
		return err
	}
	return egressRules.check(egressInput{tenant, service, policies})
}

// egressPolicy is the name of the first NetworkPolicy that governs egress of any pod, or "". It does not matter which
// pods the policy selects: the prober acts for none of them in particular.
func egressPolicy(policies []networkingv1.NetworkPolicy) string {
	i := slices.IndexFunc(policies, func(p networkingv1.NetworkPolicy) bool { return governsEgress(&p) })
	if i < 0 {
		return ""
	}
	return policies[i].Name
}

// governsEgress: a policy without policyTypes governs egress if it has egress rules (networking/v1,
// NetworkPolicySpec).
func governsEgress(p *networkingv1.NetworkPolicy) bool {
	return slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) ||
		len(p.Spec.PolicyTypes) == 0 && len(p.Spec.Egress) > 0
}
