package target

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/apiread"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestReducedPod: the rules decide about a reduced pod as about the whole one, and nothing that may be large is left.
func TestReducedPod(t *testing.T) {
	whole := webPod()
	whole.Annotations = map[string]string{tooLarge: "a tenant's", "x": strings.Repeat("x", 1000)}
	whole.ManagedFields = make([]metav1.ManagedFieldsEntry, 3)
	whole.Spec.Containers = []corev1.Container{{Env: make([]corev1.EnvVar, 100), Args: []string{"x"}}}
	whole.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 2}, {RestartCount: 3}}
	whole.Status.InitContainerStatuses = []corev1.ContainerStatus{{RestartCount: 4}}
	kept := reducePod(whole)
	in := podInput{claim("10.244.1.5"), webService(), kept}
	if refusal := podRules.refuse(in); refusal != nil || restarts(kept) != 9 || serving(kept) != serving(whole) {
		t.Errorf("refused: %v; %d restarts, serving %t", refusal, restarts(kept), serving(kept))
	}
	if newEndpoint(in.claim, kept) != newEndpoint(in.claim, whole) {
		t.Errorf("%+v; want %+v", newEndpoint(in.claim, kept), newEndpoint(in.claim, whole))
	}
	if kept.Annotations != nil || kept.ManagedFields != nil || kept.Spec.Containers[0].Env != nil {
		t.Errorf("left: %+v", kept)
	}
	whole.Status.Conditions = nil
	if serving(reducePod(whole)) {
		t.Error("a pod that is not Ready serves once it is reduced")
	}
}

// TestReducedPodOnTheHostNetwork: which TCP ports it declares stays known, each once.
func TestReducedPodOnTheHostNetwork(t *testing.T) {
	pod := declaring(8080, corev1.ProtocolUDP)
	pod.Spec.Containers = append(pod.Spec.Containers, pod.Spec.Containers[1])
	if kept := reducePod(pod); !declares(kept, 1) || declares(kept, 8080) || len(kept.Spec.Containers[0].Ports) != 1 {
		t.Errorf("declares %v", kept.Spec.Containers)
	}
}

// TestOversizedPod: one with more labels or ports than the rules read is not probed, and an endpoint whose pod has
// become so has moved.
func TestOversizedPod(t *testing.T) {
	labelled := func(bytes int) *corev1.Pod {
		pod := webPod()
		pod.Labels["x"] = strings.Repeat("x", bytes-labelBytes(pod.Labels)-len("x"))
		return pod
	}
	ports := func(n int) *corev1.Pod {
		pod := webPod()
		pod.Spec.HostNetwork = true
		for i := range n {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
				Ports: []corev1.ContainerPort{{ContainerPort: int32(8080 + i)}}})
		}
		return pod
	}
	service := webService()
	service.Host = true
	const why = "EndpointsRefused: its Pod is too large: more than 2 MiB, or 16 KiB of labels, or 256 ports on the " +
		"host network"
	for _, c := range []struct {
		pod  *corev1.Pod
		want string
	}{{labelled(16384), ""}, {labelled(16385), why}, {ports(256), ""}, {ports(257), why}} {
		expect(t, podRules, podInput{claim("10.244.1.5"), service, reducePod(c.pod)}, c.want)
	}
	e := newEndpoint(claim("10.244.1.5"), webPod())
	if what := e.moved(reducePod(labelled(16385))); what != "Pod web-1 has become too large to be read" {
		t.Errorf("moved: %q", what)
	}
}

// TestReducedSlice: references that can name no Pod are dropped; their fields have no bound.
func TestReducedSlice(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	slice := controllertest.Slice("shop", "web", "-a", webRef(), "10.244.1.5")
	slice.Annotations = map[string]string{"x": long}
	for _, ref := range []*corev1.ObjectReference{
		{Kind: "Pod", Name: long, UID: "u"}, {Kind: "Pod", Name: "a", UID: types.UID(long)}, {Kind: long, Name: "a"},
		{Kind: "Pod", Name: "a", Namespace: long, FieldPath: long, ResourceVersion: long, APIVersion: long},
	} {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}, TargetRef: ref,
			DeprecatedTopology: map[string]string{"x": long}, Zone: &long})
	}
	kept := reduceSlice(slice)
	if len(kept.Endpoints) != 5 || *kept.Endpoints[0].TargetRef != *reduceRef(webRef()) ||
		kept.Endpoints[1].TargetRef != nil || kept.Endpoints[2].TargetRef != nil ||
		kept.Endpoints[3].TargetRef != nil || kept.Endpoints[4].TargetRef == nil {
		t.Errorf("kept %+v", kept.Endpoints)
	}
	if n := len(fmt.Sprintf("%+v", kept)); n > 10000 {
		t.Errorf("%d bytes are kept", n)
	}
}

// TestLongestReference: a reference with the longest name and UID that a Pod can have is kept.
func TestLongestReference(t *testing.T) {
	ref := &corev1.ObjectReference{Kind: "Pod", Name: strings.Repeat("x", 253), UID: types.UID(strings.Repeat("x", 64))}
	if kept := reduceRef(ref); kept == nil || *kept != *ref {
		t.Errorf("%+v", kept)
	}
}

// TestClaimsOfASlice: whatever a slice has many of counts.
func TestClaimsOfASlice(t *testing.T) {
	for want, s := range map[int]discoveryv1.EndpointSlice{
		1: {},
		4: {Ports: make([]discoveryv1.EndpointPort, 4)},
		3: {Endpoints: make([]discoveryv1.Endpoint, 2)},
		9: {Endpoints: []discoveryv1.Endpoint{{Addresses: make([]string, 8)}}},
	} {
		if n := claimsOf(&s); n != want {
			t.Errorf("%d claims; want %d", n, want)
		}
	}
}

// TestReducedPolicy: a reduced NetworkPolicy says the same of ingress and egress.
func TestReducedPolicy(t *testing.T) {
	pod := webPod()
	some := []networkingv1.NetworkPolicyIngressRule{{Ports: make([]networkingv1.NetworkPolicyPort, 1)}}
	all := []networkingv1.NetworkPolicyIngressRule{some[0], {}}
	in, out := networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	for _, types := range [][]networkingv1.PolicyType{nil, {in}, {out}, {out, in, in}} {
		for _, rules := range [][]networkingv1.NetworkPolicyIngressRule{nil, some, all} {
			nine := make([]networkingv1.NetworkPolicyEgressRule, 9)
			for _, egress := range [][]networkingv1.NetworkPolicyEgressRule{nil, nine[:1], nine} {
				p := networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"},
					Spec: networkingv1.NetworkPolicySpec{PolicyTypes: types, Ingress: rules, Egress: egress}}
				kept := []networkingv1.NetworkPolicy{reducePolicy(&p)}
				whole := []networkingv1.NetworkPolicy{p}
				if ingressPolicy(pod, kept) != ingressPolicy(pod, whole) || egressPolicy(kept) != egressPolicy(whole) {
					t.Errorf("%+v is reduced to %+v", p.Spec, kept[0].Spec)
				}
				if len(kept[0].Spec.PolicyTypes) > 2 || len(kept[0].Spec.Egress) > 1 || len(kept[0].Spec.Ingress) > 1 {
					t.Errorf("kept %+v", kept[0].Spec)
				}
			}
		}
	}
	most := networkingv1.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{
		MatchLabels: map[string]string{"app": strings.Repeat("x", 4093)}}}}
	if kept := reducePolicy(&most); len(kept.Spec.PodSelector.MatchLabels) != 1 {
		t.Error("a selector of 4 KiB is not kept")
	}
	large := networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "large"},
		Spec: networkingv1.NetworkPolicySpec{Ingress: all, PodSelector: metav1.LabelSelector{
			MatchLabels: map[string]string{"app": strings.Repeat("x", maxSelectorBytes)}}}}
	kept := reducePolicy(&large)
	name := ingressPolicy(pod, []networkingv1.NetworkPolicy{kept})
	if name != "large" || kept.Spec.PodSelector.Size() > 10 {
		t.Errorf("a policy whose selector is too large to keep may drop nothing: %q", name)
	}
}

// manyPolicies serves this number of NetworkPolicies, so many at a time at most.
type manyPolicies struct {
	client.Reader
	number, page int
}

func (m manyPolicies) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	page := list.(*networkingv1.NetworkPolicyList)
	first, _ := strconv.Atoi(o.Continue)
	end := min(first+min(int(o.Limit), m.page), m.number)
	page.Items = make([]networkingv1.NetworkPolicy, end-first)
	if end < m.number {
		page.Continue = strconv.Itoa(end)
	}
	return nil
}

// TestTooManyPolicies: those that are not read may restrict everything.
func TestTooManyPolicies(t *testing.T) {
	for n, want := range map[int]string{1000: "", 1009: "(too many or too large to be read)"} {
		policies, err := (&Resolver{Live: manyPolicies{number: n, page: 1000}}).policies(t.Context(), "shop")
		if name := egressPolicy(policies); err != nil || name != want {
			t.Errorf("of %d policies %q restricts egress, %v; want %q", n, name, err, want)
		}
	}
	policies, err := (&Resolver{Live: manyPolicies{number: 1001, page: 8}}).policies(t.Context(), "shop")
	if err != nil || len(policies) != 1001 || egressPolicy(policies) == "" {
		t.Errorf("%d policies are read in pages of 8, %v; want 1000, and one for the rest", len(policies), err)
	}
}

// TestReducedProbe: of a TCPProbe nothing is kept that its tenant can make large, but what it is refused for is.
func TestReducedProbe(t *testing.T) {
	probe := controllertest.Probe()
	controllertest.WithRunAnnotation("again")(probe)
	long := strings.Repeat("x", 1<<20)
	probe.Annotations["x"], probe.Labels, probe.Finalizers = long, map[string]string{"x": long}, []string{long}
	ReduceProbe(probe)
	if len(probe.Annotations) != 1 || probe.Annotations[v1alpha1.RunAnnotation] != "again" || probe.Labels != nil ||
		probe.Finalizers != nil || probe.UID == "" || probe.Generation != 1 {
		t.Errorf("kept %+v", probe.ObjectMeta)
	}
	controllertest.WithRunAnnotation(long)(probe)
	ReduceProbe(probe)
	if n := len(probe.Annotations[v1alpha1.RunAnnotation]); n != 64 {
		t.Errorf("%d bytes of the run annotation are kept", n)
	}
	expect(t, specRules, specInput{probe, ownNamespaces},
		"RunAnnotationTooLong: the annotation tcpprobe.dev/run has more than 63 bytes; use fewer")
	delete(probe.Annotations, v1alpha1.RunAnnotation)
	for _, bytes := range []int{4096, 4097, 1 << 20} {
		probe.Spec.Sources.Selector = metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "a", Operator: "In", Values: []string{"b", strings.Repeat("x", bytes-4)}}}}
		ReduceProbe(probe)
		if n := selectorBytes(&probe.Spec.Sources.Selector); n > 5000 || (n > 4096) != (bytes > 4096) {
			t.Errorf("of a selector of %d bytes %d are kept", bytes, n)
		}
	}
	expect(t, specRules, specInput{probe, ownNamespaces},
		"TooLarge: sources.selector has more than 4 KiB: label the nodes, and select them by that label")
}

// TestLargestSelector: sources.selector may have 4 KiB.
func TestLargestSelector(t *testing.T) {
	probe := controllertest.Probe()
	some := metav1.LabelSelectorRequirement{Key: "a", Operator: metav1.LabelSelectorOpIn}
	for left := 4096 - len("a") - len("In"); left > 0; left -= len(some.Values[len(some.Values)-1]) {
		some.Values = append(some.Values, strings.Repeat("x", min(left, 63)))
	}
	probe.Spec.Sources.Selector = metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{some}}
	expect(t, specRules, specInput{probe, ownNamespaces}, "")
}

// TestPodThatIsTooLargeToRead is not probed, and does not fail the others.
func TestPodThatIsTooLargeToRead(t *testing.T) {
	r, calls := resolverOf(shop()...)
	calls.failWith("Pod shop/web-1", &apiread.TooLargeError{Path: "/web-1"})
	pods, err := r.pods(t.Context(), "shop", []string{"web-1", "web-2"})
	if err != nil || !oversized(pods["web-1"]) || oversized(pods["web-2"]) {
		t.Errorf("%v, %v", pods, err)
	}
	calls.failWith(webSlices, &apiread.TooLargeError{Path: "/slices"})
	_, err = r.slicesOf(t.Context(), "shop", "web")
	expectError(t, err, "TooLarge: an EndpointSlice of Service web has more than 2 MiB: delete it")
}

// TestReducedService: what decides about a Service is kept, and no other annotation.
func TestReducedService(t *testing.T) {
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Annotations: map[string]string{
		v1alpha1.AllowFromAnnotation: "bank", v1alpha1.AcceptQueueAnnotation: "true", "x": strings.Repeat("x", 1000)}},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}
	kept := reduceService(svc)
	if len(kept.Annotations) != 2 || !allowsFrom(kept, "bank") ||
		kept.Annotations[v1alpha1.AcceptQueueAnnotation] != "true" ||
		kept.Name != "web" || kept.Namespace != "shop" || kept.Spec.Selector["app"] != "web" {
		t.Errorf("kept %+v", kept)
	}
}

// TestServiceThatIsTooLargeToRead is refused in words, which do not tell another namespace that it exists.
func TestServiceThatIsTooLargeToRead(t *testing.T) {
	r, calls := resolverOf(shop()...)
	calls.failWith("Service shop/web", &apiread.TooLargeError{Path: "/web"})
	web := &v1alpha1.ServiceTarget{Name: "web", Namespace: "shop"}
	_, err := r.service(t.Context(), "shop", web)
	expectError(t, err, "TooLarge: Service web has more than 2 MiB: take out what is not needed")
	_, err = r.service(t.Context(), "bank", web)
	_, missing := r.service(t.Context(), "bank", &v1alpha1.ServiceTarget{Name: "none", Namespace: "shop"})
	if err == nil || err.Error() != strings.ReplaceAll(missing.Error(), "none", "web") {
		t.Errorf("%v; of one that does not exist: %v", err, missing)
	}
}
