package target

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
)

// What is kept of an object of a tenant is what the rules read, and that is bounded.
const (
	maxLabelBytes     = 16 << 10 // of a Pod
	maxDeclaredPorts  = 256      // of a Pod on the host network
	maxSelectorBytes  = 4 << 10  // of a NetworkPolicy, or of sources.selector
	maxSelectorsBytes = 1 << 20  // of all Services of a namespace
	maxUID            = 64       // bytes; the API server's own have 36
)

// tooLarge marks a reduced Pod that had more than the rules read. A reduced Pod has no annotation of its tenant.
const tooLarge = "too-large"

// oversized reports whether the reduced Pod had more than the rules read.
func oversized(pod *corev1.Pod) bool { return pod.Annotations[tooLarge] != "" }

// unreadPod stands for a Pod that is too large to be read.
func unreadPod(key types.NamespacedName) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name,
		Annotations: map[string]string{tooLarge: "true"}}}
}

// reducePod keeps what the rules and endpoints read of a Pod.
func reducePod(pod *corev1.Pod) *corev1.Pod {
	kept := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID,
			DeletionTimestamp: pod.DeletionTimestamp, Labels: pod.Labels},
		Spec: corev1.PodSpec{NodeName: pod.Spec.NodeName, HostNetwork: pod.Spec.HostNetwork},
		Status: corev1.PodStatus{Phase: pod.Status.Phase, PodIPs: pod.Status.PodIPs,
			ContainerStatuses: []corev1.ContainerStatus{{RestartCount: restarts(pod)}}},
	}
	if serving(pod) {
		kept.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	ports := declaredPorts(pod)
	if labelBytes(pod.Labels) > maxLabelBytes || len(ports) > maxDeclaredPorts {
		return unreadPod(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	}
	kept.Spec.Containers = []corev1.Container{{Ports: ports}}
	return kept
}

// declaredPorts are the TCP ports that a Pod on the host network declares, each once. Those of other pods are not read.
func declaredPorts(pod *corev1.Pod) []corev1.ContainerPort {
	if !pod.Spec.HostNetwork {
		return nil
	}
	declared := make(map[int32]bool)
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Protocol == "" || p.Protocol == corev1.ProtocolTCP {
				declared[p.ContainerPort] = true
			}
		}
	}
	var ports []corev1.ContainerPort
	for _, n := range slices.Sorted(maps.Keys(declared)) {
		ports = append(ports, corev1.ContainerPort{ContainerPort: n})
	}
	return ports
}

func labelBytes(labels map[string]string) (n int) {
	for key, value := range labels {
		n += len(key) + len(value)
	}
	return n
}

// reduceService keeps the spec, and the annotations that consent to something.
func reduceService(svc *corev1.Service) *corev1.Service {
	kept := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: svc.Name, Namespace: svc.Namespace}, Spec: svc.Spec}
	for _, key := range []string{v1alpha1.AllowFromAnnotation, v1alpha1.AcceptQueueAnnotation} {
		if value, set := svc.Annotations[key]; set {
			metav1.SetMetaDataAnnotation(&kept.ObjectMeta, key, value)
		}
	}
	return kept
}

// reduceSlice keeps what an EndpointSlice claims, and its version.
func reduceSlice(s *discoveryv1.EndpointSlice) discoveryv1.EndpointSlice {
	kept := discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{UID: s.UID, Generation: s.Generation},
		AddressType: s.AddressType, Ports: s.Ports, Endpoints: make([]discoveryv1.Endpoint, len(s.Endpoints)),
	}
	for i, e := range s.Endpoints {
		kept.Endpoints[i] = discoveryv1.Endpoint{Addresses: e.Addresses, TargetRef: reduceRef(e.TargetRef),
			Conditions: discoveryv1.EndpointConditions{Ready: e.Conditions.Ready}}
	}
	return kept
}

// reduceRef keeps what names a Pod. The API server bounds no field of a reference. One that is too long to name a Pod
// is none.
func reduceRef(ref *corev1.ObjectReference) *corev1.ObjectReference {
	if ref == nil || ref.Kind != "Pod" || len(ref.Name) > validation.DNS1123SubdomainMaxLength || len(ref.UID) > maxUID {
		return nil
	}
	return &corev1.ObjectReference{Kind: ref.Kind, Name: ref.Name, UID: ref.UID,
		Namespace: text.Cut(ref.Namespace, validation.DNS1123LabelMaxLength)}
}

// claimsOf counts what a slice makes the manager keep.
func claimsOf(s *discoveryv1.EndpointSlice) int {
	n := max(1, len(s.Ports))
	for _, e := range s.Endpoints {
		n += max(1, len(e.Addresses))
	}
	return n
}

// reducePolicy keeps what a NetworkPolicy says about whether it may drop probes. One whose selector is too large to
// keep counts as if it selected every pod.
func reducePolicy(p *networkingv1.NetworkPolicy) networkingv1.NetworkPolicy {
	kept := networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name},
		Spec:       networkingv1.NetworkPolicySpec{PodSelector: p.Spec.PodSelector},
	}
	for _, direction := range []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress} {
		if slices.Contains(p.Spec.PolicyTypes, direction) {
			kept.Spec.PolicyTypes = append(kept.Spec.PolicyTypes, direction)
		}
	}
	if len(p.Spec.Egress) > 0 {
		kept.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}}
	}
	if slices.ContainsFunc(p.Spec.Ingress, letsEverythingIn) {
		kept.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
	}
	if selectorBytes(&p.Spec.PodSelector) > maxSelectorBytes {
		kept.Spec.PodSelector, kept.Spec.Ingress = metav1.LabelSelector{}, nil
	}
	return kept
}

// ReduceProbe drops what the manager does not read of a TCPProbe. Of what is too large as much is kept as has the
// rules refuse it.
func ReduceProbe(probe *v1alpha1.TCPProbe) {
	run, set := probe.Annotations[v1alpha1.RunAnnotation]
	probe.ObjectMeta = metav1.ObjectMeta{Name: probe.Name, Namespace: probe.Namespace, UID: probe.UID,
		ResourceVersion: probe.ResourceVersion, Generation: probe.Generation,
		CreationTimestamp: probe.CreationTimestamp, DeletionTimestamp: probe.DeletionTimestamp}
	if set {
		kept := strings.Clone(run[:min(len(run), v1alpha1.MaxRunAnnotation+1)])
		probe.Annotations = map[string]string{v1alpha1.RunAnnotation: kept}
	}
	if selectorBytes(&probe.Spec.Sources.Selector) > maxSelectorBytes {
		probe.Spec.Sources.Selector = metav1.LabelSelector{
			MatchLabels: map[string]string{tooLarge: strings.Repeat("x", maxSelectorBytes)}}
	}
}

func selectorBytes(s *metav1.LabelSelector) int {
	n := labelBytes(s.MatchLabels)
	for _, e := range s.MatchExpressions {
		n += len(e.Key) + len(e.Operator)
		for _, value := range e.Values {
			n += len(value)
		}
	}
	return n
}
