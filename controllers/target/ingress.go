package target

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// ingressPolicy is the name of a NetworkPolicy that may drop probes to the pod, or "". Policies are additive: if one
// of those that select the pod allows everything, nothing is dropped.
func ingressPolicy(pod *corev1.Pod, policies []networkingv1.NetworkPolicy) string {
	first := ""
	for i := range policies {
		p := &policies[i]
		selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
		if err != nil || !selector.Matches(labels.Set(pod.Labels)) || !governsIngress(p) {
			continue
		}
		if slices.ContainsFunc(p.Spec.Ingress, letsEverythingIn) {
			return ""
		}
		if first == "" {
			first = p.Name
		}
	}
	return first
}

// governsIngress: a policy without policyTypes governs ingress (networking/v1, NetworkPolicySpec).
func governsIngress(p *networkingv1.NetworkPolicy) bool {
	return len(p.Spec.PolicyTypes) == 0 || slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress)
}

func letsEverythingIn(r networkingv1.NetworkPolicyIngressRule) bool {
	return len(r.From) == 0 && len(r.Ports) == 0
}
