//go:build envtest

package envtest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	manager = "system:serviceaccount:tcpprobe-system:manager"
	prober  = "system:serviceaccount:tcpprobe-probes:prober"
)

// may is the verbs that an account has on a resource in a namespace. Namespace "" is every namespace, or a resource
// without namespaces.
type may struct {
	user, namespace, resource, verbs string
}

// needed are the rights without which the manager cannot work.
var needed = []may{
	{manager, "", "tcpprobes.tcpprobe.dev", "get list watch"},
	{manager, "shop", "tcpprobes/status.tcpprobe.dev", "update"},
	{manager, "", "services", "get list"},
	{manager, "shop", "endpointslices.discovery.k8s.io", "list"},
	{manager, "shop", "networkpolicies.networking.k8s.io", "list"},
	{manager, "", "nodes", "list watch"},
	{manager, "shop", "pods", "get"},
	{manager, "", "namespaces", "get"},
	{manager, "", "ipaddresses.networking.k8s.io", "get"},
	{manager, managerNamespace, "pods", "list"},
	{manager, "shop", "events.events.k8s.io", "create"},
	{manager, probeNamespace, "pods", "get list watch create patch delete"},
	{manager, probeNamespace, "configmaps", "get list watch create patch delete"},
	{manager, managerNamespace, "leases.coordination.k8s.io", "get create update"},
	{manager, managerNamespace, "events", "create"}, // about the election of the leader
}

// forbidden are rights that manager and prober must not have, in case an attacker takes one of them over.
var forbidden = []may{
	{manager, "shop", "tcpprobes.tcpprobe.dev", "create update patch delete"},
	{manager, "shop", "pods", "list watch create update patch delete"},
	{manager, "shop", "pods/exec", "create get"},
	{manager, probeNamespace, "pods/exec", "create get"},
	{manager, probeNamespace, "pods/ephemeralcontainers", "update patch"},
	{manager, "shop", "configmaps", "get list watch create delete"},
	{manager, "", "secrets", "get list watch create"},
	{manager, probeNamespace, "secrets", "get list watch create"},
	{manager, managerNamespace, "secrets", "get list watch create"},
	{manager, probeNamespace, "serviceaccounts/token", "create"},
	{manager, "", "nodes", "get update patch delete"},
	{manager, "shop", "events.events.k8s.io", "get list update patch delete"},
	{manager, "", "namespaces", "list watch create update patch delete"}, // an annotation of it allows addresses
	{manager, managerNamespace, "pods", "watch create update patch delete"},
	{manager, "shop", "services", "watch create update patch delete"},
	{manager, "shop", "endpointslices.discovery.k8s.io", "create update patch delete"},
	{manager, "", "clusterroles.rbac.authorization.k8s.io", "create update bind escalate"},
	{prober, probeNamespace, "pods", "get list watch create delete"},
	{prober, probeNamespace, "configmaps", "get list watch create delete"},
	{prober, "", "tcpprobes.tcpprobe.dev", "get list watch"},
	{prober, "", "nodes", "get list"},
}

func TestManagerHasWhatItNeeds(t *testing.T) {
	install(t)
	for _, m := range needed {
		for verb := range strings.FieldsSeq(m.verbs) {
			// The authorizer reads new roles by a watch, so they take effect later.
			err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 20*time.Second, true,
				func(ctx context.Context) (bool, error) { return m.allowed(ctx, verb) })
			if err != nil {
				t.Errorf("%s may not %s %s in %q: %v", m.user, verb, m.resource, m.namespace, err)
			}
		}
	}
}

func TestNobodyHasMore(t *testing.T) {
	TestManagerHasWhatItNeeds(t) // after it the authorizer knows the roles
	for _, m := range forbidden {
		for verb := range strings.FieldsSeq(m.verbs) {
			switch allowed, err := m.allowed(t.Context(), verb); {
			case err != nil:
				t.Fatal(err)
			case allowed:
				t.Errorf("%s may %s %s in %q", m.user, verb, m.resource, m.namespace)
			}
		}
	}
}

// TestTenantsDoNotWriteSlices checks a statement of docs/security.md: the roles that Kubernetes aggregates to edit and
// admin do not allow writing EndpointSlices.
func TestTenantsDoNotWriteSlices(t *testing.T) {
	for _, name := range []string{"system:aggregate-to-edit", "system:aggregate-to-admin"} {
		role := get(t, "", name, &rbacv1.ClusterRole{})
		if len(role.Rules) == 0 {
			t.Errorf("%s has no rule at all", name)
		}
		for _, rule := range role.Rules {
			if slices.Contains(rule.APIGroups, "discovery.k8s.io") || slices.Contains(rule.APIGroups, "*") {
				t.Errorf("%s: %+v", name, rule)
			}
		}
	}
}

// allowed asks the API server's authorizer.
func (m may) allowed(ctx context.Context, verb string) (bool, error) {
	resource, group, _ := strings.Cut(m.resource, ".")
	resource, sub, _ := strings.Cut(resource, "/")
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:   m.user,
		Groups: []string{"system:authenticated", "system:serviceaccounts"},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: m.namespace, Verb: verb, Group: group, Resource: resource, Subresource: sub,
		},
	}}
	err := api.Create(ctx, review)
	return review.Status.Allowed, err
}
