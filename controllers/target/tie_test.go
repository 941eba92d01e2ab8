package target

import (
	"cmp"
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestWhatLeaves: of everything that a Pod has, only these are changes of a target. The pod is the same and ready
// otherwise.
func TestWhatLeaves(t *testing.T) {
	e := newEndpoint(claim("10.244.1.5"), webPod())
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		filled bool
		want   string
	}{
		"UID":     {func(p *corev1.Pod) { p.UID = "uid-2" }, false, "Pod web-1 was replaced"},
		"address": {func(p *corev1.Pod) { p.Status.PodIPs = p.Status.PodIPs[1:] }, false, "Pod web-1 has another address"},
		"deletion": {func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(controllertest.Noon)) }, true,
			"Pod web-1 has ended"},
		"success": {func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, true, "Pod web-1 has ended"},
		"failure": {func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }, true, "Pod web-1 has ended"},
		"labels": {func(p *corev1.Pod) { p.Labels["app"] = "other" }, true,
			"Pod web-1 does not match the selector of Service web any more"},
		"no labels": {func(p *corev1.Pod) { p.Labels = nil }, false,
			"Pod web-1 does not match the selector of Service web any more"},
		"not Ready": {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }, false,
			"Pod web-1 is not Ready"},
		"readiness unknown": {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionUnknown }, false,
			"Pod web-1 is not Ready"},
		"not Ready, with a full queue": {func(p *corev1.Pod) { p.Status.Conditions = nil }, true, ""},
		"nothing":                      {func(*corev1.Pod) {}, false, ""},
		"a restart":                    {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount++ }, false, ""},
		"another label":                {func(p *corev1.Pod) { p.Labels["other"] = "y" }, false, ""},
		"annotations":                  {func(p *corev1.Pod) { p.Annotations = map[string]string{"x": "y"} }, false, ""},
		"another family's address":     {func(p *corev1.Pod) { p.Status.PodIPs = p.Status.PodIPs[:1] }, false, ""},
		"another image": {func(p *corev1.Pod) { p.Spec.Containers = []corev1.Container{{Image: "x"}} },
			false, ""},
	} {
		pod := webPod()
		c.change(pod)
		if got := e.left(webService(), pod, c.filled); got != c.want {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
	if got := e.left(webService(), nil, true); got != "Pod web-1 is gone" {
		t.Errorf("%q", got)
	}
}

// tieOf ties a source to some targets of the snapshot, and one to all of them.
func tieOf(tenant string, s *Snapshot, targets []int, fills bool) *Tie {
	tie := NewTie(tenant, s, map[string]bool{})
	tie.Add("some", s, targets, fills)
	var all []int
	for i := range s.Endpoints {
		all = append(all, i)
	}
	tie.Add("all", s, all, false)
	return &tie
}

// stopped begins what is said of a source that probes what has changed.
const stopped = "TargetChanged: stopped while it probed: "

// TestSourcesThatAreStopped: those that probe what has changed, and all if the target itself must not be probed.
func TestSourcesThatAreStopped(t *testing.T) {
	resliced := of("web-a", func(s *discoveryv1.EndpointSlice) { s.Generation++ })
	reselected := of("web", func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "other"} })
	const unmatched = stopped + "Pod web-1 does not match the selector of Service web any more"
	for name, c := range map[string]struct {
		tenant    string
		cluster   []client.Object
		planned   *Snapshot
		some      []int
		fills     bool
		want, all string
	}{
		"nothing changed":      {cluster: shop(), planned: planned(), some: []int{0, 1}},
		"restarted":            {cluster: shop(restarted), planned: plannedPods(), some: []int{0, 1}},
		"slices, no ClusterIP": {cluster: shop(resliced), planned: plannedPods(), some: []int{0}},
		"replaced": {cluster: shop(replaced), planned: plannedPods(), some: []int{0},
			all: stopped + "Pod web-2 was replaced"},
		"not Ready": {cluster: shop(unready), planned: plannedPods(), some: []int{1},
			want: stopped + "Pod web-2 is not Ready", all: stopped + "Pod web-2 is not Ready"},
		"selector": {cluster: shop(reselected), planned: plannedPods(), some: []int{0}, want: unmatched, all: unmatched},
		"slices": {cluster: shop(resliced), planned: planned(), some: []int{1},
			all: stopped + "the EndpointSlices of Service web were changed"},
		"replaced behind a ClusterIP": {cluster: shop(replaced), planned: planned(), some: []int{0},
			want: stopped + "Pod web-2 was replaced", all: stopped + "Pod web-2 was replaced"},
		"not Ready, beside a ClusterIP": {cluster: shop(unready), planned: planned(), some: []int{0},
			all: stopped + "Pod web-2 is not Ready"},
		"replaced, and no consent to fill": {cluster: shop(replaced), planned: plannedPods(), some: []int{0}, fills: true,
			want: noQueueConsent, all: stopped + "Pod web-2 was replaced"},
		"another ClusterIP": {cluster: shop(readdress), planned: planned(), some: []int{1, 2},
			all: stopped + "Service web has another ClusterIP or port"},
		"consent to fill, withdrawn": {cluster: shop(), planned: plannedPods(), some: []int{0}, fills: true,
			want: noQueueConsent},
		"consent to fill":       {cluster: shop(consents), planned: plannedPods(), some: []int{0}, fills: true},
		"foreign, with consent": {tenant: "pay", cluster: shop(consents), planned: plannedPods(), some: []int{0}},
		"foreign, withdrawn": {tenant: "pay", cluster: shop(), planned: plannedPods(), some: []int{0},
			want: noConsent, all: noConsent},
		"deleted": {cluster: without[*corev1.Service]("web", shop()), planned: plannedPods(), some: []int{0},
			want: "ServiceNotFound: there is no Service web in namespace shop",
			all:  "ServiceNotFound: there is no Service web in namespace shop"},
		"address, allowed": {cluster: shop(allowing(everyRange)), planned: plannedAddress(), some: []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := resolverOf(c.cluster...)
			r.Allow.Addresses, _ = ParseRanges(everyRange)
			c.tenant = cmp.Or(c.tenant, "shop")
			got, err := r.Look(t.Context(), tieOf(c.tenant, c.planned, c.some, c.fills))
			if err != nil {
				t.Fatal(err)
			}
			for source, want := range map[string]string{"some": c.want, "all": c.all} {
				var refusal error
				if got[source] != nil {
					refusal = got[source]
				}
				if outcome(refusal) != want {
					t.Errorf("%s: %q; want %q", source, outcome(refusal), want)
				}
			}
		})
	}
}

// TestAddressThatIsNotAllowedAnyMore stops all sources.
func TestAddressThatIsNotAllowedAnyMore(t *testing.T) {
	r, _ := resolverOf(shop()...)
	r.Allow.Addresses, _ = ParseRanges(everyRange)
	if got, err := r.Look(t.Context(), tieOf("shop", plannedAddress(), []int{0}, false)); err != nil || len(got) != 2 {
		t.Errorf("an address that is not allowed any more: %v, %v", got, err)
	}
}

// TestUnreadableIsNoChange: an error of the API server stops nothing, and is returned.
func TestUnreadableIsNoChange(t *testing.T) {
	for _, call := range []string{"Service shop/web", "Pod shop/web-1", webSlices} {
		r, calls := resolverOf(shop(unready)...)
		calls.fail(call)
		if got, err := r.Look(t.Context(), tieOf("shop", planned(), []int{1}, false)); err == nil || got != nil {
			t.Errorf("%s fails: %v, %v", call, got, err)
		}
	}
}

// TestReadsOfALook: each object is read once, however many sources probe it, and Reads says how many.
func TestReadsOfALook(t *testing.T) {
	r, calls := resolverOf(shop()...)
	tie := tieOf("shop", plannedPods(), []int{0, 1}, false)
	if _, err := r.Look(t.Context(), tie); err != nil {
		t.Fatal(err)
	}
	made := make(map[string]int)
	for _, call := range calls.made {
		made[call]++
	}
	want := map[string]int{"Service shop/web": 1, "Pod shop/web-1": 1, "Pod shop/web-2": 1}
	if !maps.Equal(made, want) || tie.Reads() != 3 {
		t.Errorf("read %v, said %d; want %v", made, tie.Reads(), want)
	}
	tie = tieOf("shop", planned(), []int{0}, false)
	alone := NewTie("shop", planned(), nil)
	alone.Add("some", planned(), []int{0}, false)
	for name, tie := range map[string]*Tie{"with a ClusterIP": tie, "a ClusterIP alone": &alone} {
		calls.made = nil
		stopped, err := r.Look(t.Context(), tie)
		if err != nil || len(stopped) > 0 || len(calls.made) != 5 || tie.Reads() != 5 {
			t.Errorf("%s: read %v, said %d, stopped %v, %v", name, calls.made, tie.Reads(), stopped, err)
		}
	}
}
