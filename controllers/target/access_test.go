package target

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func TestConsentNamesNamespaces(t *testing.T) {
	for value, want := range map[string]bool{
		"":                   false,
		"shop":               true,
		"pay, shop":          true,
		"pay,shop,":          true,
		"*":                  false,
		"shop*":              false,
		"sho":                false,
		"shop2":              false,
		"SHOP":               false,
		"pay;shop":           false,
		"pay\nshop":          false,
		"pay,\n  shop\n,bar": true,
	} {
		svc := exampleService(portHTTP)
		svc.Annotations = map[string]string{v1alpha1.AllowFromAnnotation: value}
		if got := allowsFrom(svc, "shop"); got != want {
			t.Errorf("%q lets namespace shop in: %t", value, got)
		}
	}
}

func TestEgressPolicies(t *testing.T) {
	policy := func(types []networkingv1.PolicyType,
		rules ...networkingv1.NetworkPolicyEgressRule) []networkingv1.NetworkPolicy {
		return []networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Name: "a"},
			Spec: networkingv1.NetworkPolicySpec{PolicyTypes: types, Egress: rules}}}
	}
	ingress, egress := networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	for name, c := range map[string]struct {
		policies []networkingv1.NetworkPolicy
		want     string
	}{
		"none":              {nil, ""},
		"ingress":           {policy([]networkingv1.PolicyType{ingress}), ""},
		"neither, no rules": {policy(nil), ""},
		"neither, a rule":   {policy(nil, networkingv1.NetworkPolicyEgressRule{}), "a"},
		"egress, no rules":  {policy([]networkingv1.PolicyType{egress}), "a"},
		"both":              {policy([]networkingv1.PolicyType{ingress, egress}), "a"},
		// the API server lets it through, and it governs nothing
		"ingress with rules": {policy([]networkingv1.PolicyType{ingress}, networkingv1.NetworkPolicyEgressRule{}), ""},
	} {
		if got := egressPolicy(c.policies); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}
