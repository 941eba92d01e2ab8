package target

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// numbered are ready pods with the labels app=web and n=their number.
func numbered(numbers ...int) (pods []readyPod) {
	for _, n := range numbers {
		pods = append(pods, readyPod{fmt.Sprintf("web-%d", n), labels.Set{"app": "web", "n": fmt.Sprint(n)}})
	}
	return pods
}

func selecting(t *testing.T, selector string) labels.Selector {
	t.Helper()
	s, err := labels.Parse(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSparedPodsAreSorted: the status names them in the same order each time.
func TestSparedPodsAreSorted(t *testing.T) {
	services := []labels.Selector{selecting(t, "n=3"), selecting(t, "n=1"), selecting(t, "n=2")}
	if got := spared(numbered(1, 2, 3), services); !slices.Equal(got, []string{"web-1", "web-2", "web-3"}) {
		t.Errorf("%v", got)
	}
}

// TestEveryServiceKeepsAPod: whatever Services lead to some of the pods, and in whatever order they are asked, a pod of
// each is spared by all of them. Every set of three Services over four pods is tried.
func TestEveryServiceKeepsAPod(t *testing.T) {
	pods := numbered(1, 2, 3, 4)
	var subsets [][]readyPod
	var selectors []labels.Selector
	for mask := 1; mask < 1<<len(pods); mask++ {
		var subset []readyPod
		in := "n in ("
		for i, p := range pods {
			if mask>>i&1 == 1 {
				subset, in = append(subset, p), in+p.labels["n"]+","
			}
		}
		subsets, selectors = append(subsets, subset), append(selectors, selecting(t, in[:len(in)-1]+")"))
	}
	for a := range subsets {
		for b := range subsets {
			for c := range subsets {
				checkKept(t, [][]readyPod{subsets[a], subsets[b], subsets[c]},
					[]labels.Selector{selectors[a], selectors[b], selectors[c]})
			}
		}
	}
}

// checkKept fills the queues of the pods behind each Service, one Service after the other. Each Service must have a pod
// left that was never asked.
func checkKept(t *testing.T, services [][]readyPod, selectors []labels.Selector) {
	t.Helper()
	filled := make(map[string]bool)
	for _, pods := range services {
		spares := spared(pods, selectors)
		for _, p := range pods {
			if !slices.Contains(spares, p.name) {
				filled[p.name] = true
			}
		}
	}
	for i, pods := range services {
		if !slices.ContainsFunc(pods, func(p readyPod) bool { return !filled[p.name] }) {
			t.Fatalf("no pod of Service %d serves: Services %v, filled %v", i, selectors, filled)
		}
	}
}

// TestSparedPodIsAlwaysTheSame: the order of the pods does not matter.
func TestSparedPodIsAlwaysTheSame(t *testing.T) {
	all := []labels.Selector{selecting(t, "app=web")}
	want := spared(numbered(1, 2, 3), all)
	if got := spared(numbered(3, 1, 2), all); len(want) != 1 || !slices.Equal(got, want) {
		t.Errorf("spared %v, and in another order %v", want, got)
	}
	if got := spared(numbered(1), []labels.Selector{selecting(t, "app=other")}); got != nil {
		t.Errorf("a Service that selects none of the pods spares %v", got)
	}
}

// TestWhoKeepsServing: the only ready pod of a Service is not asked, unless the owner consents to that. It may be the
// only one of the Service that is probed, or of another one.
func TestWhoKeepsServing(t *testing.T) {
	const only = "ConsentMissing: Service web has one ready pod, web-1, and AcceptQueue would turn all its clients " +
		"away; have a second one ready, or set the annotation tcpprobe.dev/allow-accept-queue of the Service " +
		`to "only-endpoint"`
	const others = "ConsentMissing: AcceptQueue leaves one ready pod of every Service alone, and each of the 2 ready " +
		"pods of Service web is the one of some Service of namespace shop; have more pods ready, or set the annotation " +
		`tcpprobe.dev/allow-accept-queue of Service web to "only-endpoint"`
	alone := func(pod string) client.Object {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: pod},
			Spec: corev1.ServiceSpec{Selector: map[string]string{"pod": pod}}}
	}
	outside := func(pod string) client.Object {
		svc := alone(pod).(*corev1.Service)
		svc.Spec.Type = corev1.ServiceTypeExternalName
		return svc
	}
	name := func(o client.Object) {
		if pod, is := o.(*corev1.Pod); is {
			pod.Labels["pod"] = pod.Name
		}
	}
	without2 := of("web-2", func(p *corev1.Pod) { p.Status.Conditions = nil })
	for name, c := range map[string]struct {
		consent string
		objects []client.Object
		spared  int
		want    string
	}{
		"two pods":                         {"true", shop(), 1, ""},
		"one pod":                          {"true", shop(without2), 0, only},
		"one pod, and consent":             {"only-endpoint", shop(without2), 0, ""},
		"one has a Service of its own":     {"true", append(shop(name), alone("web-1")), 1, ""},
		"the other one has":                {"true", append(shop(name), alone("web-2")), 1, ""},
		"both have":                        {"true", append(shop(name), alone("web-1"), alone("web-2")), 0, others},
		"a Service outside of the cluster": {"true", append(shop(name), alone("web-1"), outside("web-2")), 1, ""},
		"both have, and consent":           {"only-endpoint", append(shop(name), alone("web-1"), alone("web-2")), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := resolverOf(c.objects...)
			setConsent(t, r, c.consent)
			res, err := r.Resolve(t.Context(), controllertest.AcceptQueueProbe())
			expectError(t, err, c.want)
			if err == nil && len(res.Spared) != c.spared {
				t.Errorf("spared %v; want %d", res.Spared, c.spared)
			}
		})
	}
}

// TestServicesThatCannotBeRead: without the Services of the namespace no queue is filled.
func TestServicesThatCannotBeRead(t *testing.T) {
	r, calls := resolverOf(shop(consents)...)
	calls.fail("ServiceList shop")
	res, err := r.Resolve(t.Context(), controllertest.AcceptQueueProbe())
	expectError(t, err, "error: list the Services of namespace shop: the API server is down")
	if res != nil {
		t.Errorf("resolved %+v", res)
	}
}

func setConsent(t *testing.T, r *Resolver, consent string) {
	t.Helper()
	var svc corev1.Service
	if err := r.Live.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "web"}, &svc); err != nil {
		t.Fatal(err)
	}
	svc.Annotations = map[string]string{v1alpha1.AcceptQueueAnnotation: consent}
	if err := r.Live.(client.Client).Update(t.Context(), &svc); err != nil {
		t.Fatal(err)
	}
}

// TestTooManySelectors: what the Services of a namespace select by is bounded, all together.
func TestTooManySelectors(t *testing.T) {
	for bytes, want := range map[int]string{1 << 20: "", 1<<20 + 1: "TooLarge: the selectors of the Services of " +
		"namespace shop have more than 1 MiB, and AcceptQueue leaves one ready pod of each alone: delete some of them"} {
		service := func(name string, bytes int) *corev1.Service {
			return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
				Spec: corev1.ServiceSpec{Selector: map[string]string{"a": strings.Repeat("x", bytes-1)}}}
		}
		r, _ := resolverOf(service("one", 1<<18), service("two", bytes-1<<18))
		res := &Resolved{Service: webService(), Endpoints: []Endpoint{{Pod: "web-1"}, {Pod: "web-2"}}}
		if want == "" {
			res.Endpoints = append(res.Endpoints, Endpoint{Pod: "web-3"})
			res.readyPods = []readyPod{{"web-2", labels.Set{"app": "web"}},
				{"web-1", labels.Set{"a": strings.Repeat("x", bytes-1<<18-1)}}}
			err := r.keepServing(t.Context(), res)
			if err != nil || !slices.Equal(res.Spared, []string{"web-1", "web-2"}) {
				t.Errorf("spared %v, %v; want one of each Service", res.Spared, err)
			}
			continue
		}
		expectError(t, r.keepServing(t.Context(), res), want)
	}
}
