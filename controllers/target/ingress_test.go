package target

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestIngressPolicies(t *testing.T) {
	mine := metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	some := networkingv1.NetworkPolicyIngressRule{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &mine}}}
	policy := func(name string, selector metav1.LabelSelector, types []networkingv1.PolicyType,
		rules ...networkingv1.NetworkPolicyIngressRule) networkingv1.NetworkPolicy {
		return networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: networkingv1.NetworkPolicySpec{PodSelector: selector, PolicyTypes: types, Ingress: rules}}
	}
	ingress, egress := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}, []networkingv1.PolicyType{
		networkingv1.PolicyTypeEgress}
	others := metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}
	for name, c := range map[string]struct {
		policies []networkingv1.NetworkPolicy
		want     string
	}{
		"none":       {nil, ""},
		"for others": {[]networkingv1.NetworkPolicy{policy("a", others, ingress)}, ""},
		"deny all":   {[]networkingv1.NetworkPolicy{policy("a", metav1.LabelSelector{}, ingress)}, "a"},
		"from some": {[]networkingv1.NetworkPolicy{policy("a", others, ingress),
			policy("b", mine, ingress, some)}, "b"},
		"without types": {[]networkingv1.NetworkPolicy{policy("a", mine, nil)}, "a"},
		"egress only":   {[]networkingv1.NetworkPolicy{policy("a", mine, egress)}, ""},
		"one lets everything in": {[]networkingv1.NetworkPolicy{policy("a", mine, ingress),
			policy("b", mine, ingress, networkingv1.NetworkPolicyIngressRule{})}, ""},
		"others let everything in": {[]networkingv1.NetworkPolicy{policy("a", mine, ingress),
			policy("b", others, ingress, networkingv1.NetworkPolicyIngressRule{})}, "a"},
	} {
		if got := ingressPolicy(webPod(), c.policies); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}
