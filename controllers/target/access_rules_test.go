package target

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

const noConsent = `ConsentMissing: namespace shop has no Service web that may be probed from namespace pay; ` +
	`whoever owns it can allow that by its annotation tcpprobe.dev/allow-from, a list of namespaces such as "pay"`

// consentingTo is the Service shop/web whose owner lets these namespaces probe it.
func consentingTo(namespaces string) *corev1.Service {
	svc := webObject()
	svc.Annotations = map[string]string{v1alpha1.AllowFromAnnotation: namespaces}
	return svc
}

func TestTheOperatorsNamespacesAreNoTarget(t *testing.T) {
	for namespace, want := range map[string]string{
		"tcpprobe-system": "NamespaceDenied: namespace tcpprobe-system belongs to the operator itself, " +
			"and what runs there is never probed",
		"tcpprobe-probes": "NamespaceDenied: namespace tcpprobe-probes belongs to the operator itself, " +
			"and what runs there is never probed",
		"shop": "",
	} {
		expect(t, namespaceRules, namespaceInput{ownNamespaces, namespace, "web"}, want)
	}
}

// TestTheAPIServerIsNoTarget: nobody can consent to that, so it is said first.
func TestTheAPIServerIsNoTarget(t *testing.T) {
	for name, want := range map[types.NamespacedName]string{
		{Namespace: "default", Name: "kubernetes"}: "KubernetesService: default/kubernetes is the API server, " +
			"which is never probed",
		{Namespace: "default", Name: "web"}:     "",
		{Namespace: "shop", Name: "kubernetes"}: "",
	} {
		expect(t, namespaceRules, namespaceInput{ownNamespaces, name.Namespace, name.Name}, want)
	}
}

// TestAForeignServiceNeedsConsent: without consent, the refusal is the same whether the Service exists or not.
func TestAForeignServiceNeedsConsent(t *testing.T) {
	web := types.NamespacedName{Namespace: "shop", Name: "web"}
	for _, c := range []struct {
		tenant  string
		service *corev1.Service
		want    string
	}{
		{"pay", nil, noConsent},
		{"pay", webObject(), noConsent},
		{"pay", consentingTo("bank"), noConsent},
		{"pay", consentingTo("pay"), ""},
		{"shop", webObject(), ""},
		{"shop", consentingTo("pay"), ""},
		{"shop", nil, "ServiceNotFound: there is no Service web in namespace shop"},
	} {
		expect(t, accessRules, accessInput{c.tenant, web, c.service}, c.want)
	}
}

func egressPolicyOf(namespace, name string) *networkingv1.NetworkPolicy {
	return &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}}}
}

const pastPolicy = "EgressPolicy: NetworkPolicy closed restricts egress of namespace pay, and probe pods would lead " +
	"past it to shop/web:http; create the TCPProbe in namespace shop, " +
	"or have the administrator start the manager with --past-egress-policies"

func TestNothingLeadsPastAnEgressPolicy(t *testing.T) {
	service := webService()
	service.Foreign = true
	in := egressInput{tenant: "pay", service: service}
	expect(t, egressRules, in, "")
	in.policies = []networkingv1.NetworkPolicy{*egressPolicyOf("pay", "closed"), *egressPolicyOf("pay", "too")}
	expect(t, egressRules, in, pastPolicy)
}

func TestReadingTheServiceOfATarget(t *testing.T) {
	closed := egressPolicyOf("pay", "closed")
	foreign := &v1alpha1.ServiceTarget{Name: "web", Namespace: "shop"}
	for name, c := range map[string]struct {
		objects []client.Object
		tenant  string
		target  *v1alpha1.ServiceTarget
		fails   string
		past    bool
		want    string
	}{
		"one's own": {objects: []client.Object{webObject()}, tenant: "shop", target: serviceTarget},
		"one's own, with an egress policy": {objects: []client.Object{webObject(), egressPolicyOf("shop", "closed")},
			tenant: "shop", target: serviceTarget},
		"none": {tenant: "shop", target: serviceTarget,
			want: "ServiceNotFound: there is no Service web in namespace shop"},
		"the operator's": {objects: []client.Object{webObject()}, tenant: "pay",
			target: &v1alpha1.ServiceTarget{Name: "web", Namespace: "tcpprobe-system"},
			want: "NamespaceDenied: namespace tcpprobe-system belongs to the operator itself, " +
				"and what runs there is never probed"},
		"unreadable": {objects: []client.Object{webObject()}, tenant: "shop", target: serviceTarget,
			fails: "Service shop/web", want: "error: read Service shop/web: the API server is down"},
		"foreign, without consent": {objects: []client.Object{webObject()}, tenant: "pay", target: foreign, want: noConsent},
		"foreign, and none":        {tenant: "pay", target: foreign, want: noConsent},
		"foreign, with consent":    {objects: []client.Object{consentingTo("pay")}, tenant: "pay", target: foreign},
		"foreign, with a policy of its own namespace": {
			objects: []client.Object{consentingTo("pay"), egressPolicyOf("shop", "closed")}, tenant: "pay", target: foreign},
		"past a policy": {objects: []client.Object{consentingTo("pay"), closed}, tenant: "pay", target: foreign,
			want: pastPolicy},
		"past a policy, which is allowed": {objects: []client.Object{consentingTo("pay"), closed}, tenant: "pay",
			target: foreign, past: true},
		"policies unreadable": {objects: []client.Object{consentingTo("pay")}, tenant: "pay", target: foreign,
			fails: "NetworkPolicyList pay",
			want:  "error: list the NetworkPolicies of namespace pay: the API server is down"},
		"of no use": {objects: []client.Object{consentingTo("pay")}, tenant: "pay",
			target: &v1alpha1.ServiceTarget{Name: "web", Namespace: "shop", Families: []corev1.IPFamily{"IPv5"}},
			want:   "FamilyNotFound: Service web has the families [IPv4 IPv6], not IPv5"},
	} {
		t.Run(name, func(t *testing.T) {
			r, calls := resolverOf(c.objects...)
			calls.fail(c.fails)
			r.Allow.PastEgressPolicies = c.past
			service, err := r.service(t.Context(), c.tenant, c.target)
			expectError(t, err, c.want)
			if c.want != "" {
				return
			}
			if service == nil || service.Name != "web" || service.Namespace != "shop" || service.Port != portHTTP ||
				service.Foreign != (c.tenant == "pay") {
				t.Errorf("read %+v", service)
			}
		})
	}
}
