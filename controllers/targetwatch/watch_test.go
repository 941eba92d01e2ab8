package targetwatch

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// shop is an API server that has the Service web of namespace shop, and the pods that it is given.
type shop struct {
	client.Reader
	client.Writer
	mu      sync.Mutex
	takes   time.Duration // every read
	pods    map[string]*corev1.Pod
	reads   int
	atOnce  int
	most    int                    // reads at one time
	looks   map[string][]time.Time // by Service
	deleted map[string]time.Time   // by name
	grace   int64
	failing bool // deletions
}

func newShop(names ...string) *shop {
	s := &shop{pods: make(map[string]*corev1.Pod), deleted: make(map[string]time.Time),
		looks: make(map[string][]time.Time)}
	for _, name := range names {
		s.pods[name] = &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{"app": "web"}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.244.1.5"}},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
	}
	return s
}

func (s *shop) Get(_ context.Context, key types.NamespacedName, o client.Object, _ ...client.GetOption) error {
	s.mu.Lock()
	s.reads++
	s.atOnce++
	s.most = max(s.most, s.atOnce)
	s.mu.Unlock()
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.atOnce--
	switch o := o.(type) {
	case *corev1.Service:
		s.looks[key.Name] = append(s.looks[key.Name], time.Now())
		*o = corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}}}
	case *corev1.Pod:
		pod := s.pods[key.Name]
		if pod == nil {
			return apierrors.NewNotFound(corev1.Resource("pods"), key.Name)
		}
		pod.DeepCopyInto(o)
	}
	return nil
}

func (s *shop) Delete(_ context.Context, o client.Object, opts ...client.DeleteOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing {
		return errors.New("the API server is down")
	}
	var options client.DeleteOptions
	options.ApplyOptions(opts)
	if options.Preconditions == nil || options.Preconditions.UID == nil || *options.Preconditions.UID != o.GetUID() {
		return errors.New("a pod is deleted by its name alone")
	}
	s.deleted[o.GetName()], s.grace = time.Now(), *options.GracePeriodSeconds
	return nil
}

func (s *shop) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

var web = types.NamespacedName{Namespace: "shop", Name: "web"}

// running is a run with a probe pod on each node, named like it. Each probes all of the pods.
func running(plan types.UID, nodes []string, pods ...string) Run {
	r := Run{Plan: plan, Pods: make(map[string]*corev1.Pod)}
	r.Tie.Tenant, r.Tie.Target.Service = "shop", &v1alpha1.ServiceTarget{Name: "web"}
	for _, node := range nodes {
		source := target.TiedSource{Node: node}
		for _, pod := range pods {
			source.To = append(source.To, target.Endpoint{Via: v1alpha1.ViaPodIP, Pod: pod, UID: types.UID(pod),
				Address: netip.MustParseAddr("10.244.1.5"), Port: 8080})
		}
		r.Tie.Sources = append(r.Tie.Sources, source)
		r.Pods[node] = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: node, UID: types.UID(node)}}
	}
	return r
}

func watchOf(s *shop) *Watch { return New(&target.Resolver{Live: s}, s, clock.RealClock{}) }

// start starts the watch, until the test ends it.
func start(t *testing.T, w *Watch) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Start(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestPodsEndWithinTenSeconds: from a change until the last moment of a probe pod it takes less than 10 s, whenever
// the change comes, and also if every read takes a second.
func TestPodsEndWithinTenSeconds(t *testing.T) {
	for _, takes := range []time.Duration{time.Millisecond, time.Second} {
		for after := time.Duration(0); after < 5*time.Second; after += 130 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) { changeAfter(t, after, takes) })
		}
	}
}

// changeAfter deletes a target some time after the watch has begun.
func changeAfter(t *testing.T, after, takes time.Duration) {
	t.Helper()
	s := newShop("web-1", "web-2")
	s.takes = takes
	w := watchOf(s)
	w.Keep(web, running("plan", []string{"kn1", "kn2"}, "web-1", "web-2"))
	end := start(t, w)
	time.Sleep(after)
	changed := time.Now()
	s.set(func() { delete(s.pods, "web-2") })
	time.Sleep(20 * time.Second)
	end()
	if len(s.deleted) != 2 {
		t.Fatalf("deleted: %v", s.deleted)
	}
	s.expectEndedBy(t, changed.Add(10*time.Second))
	if why := w.Stopped(web, "plan")["kn1"]; why == nil || why.Reason != v1alpha1.ReasonTargetChanged {
		t.Errorf("stopped because of %v", why)
	}
}

// expectEndedBy fails the test if a deleted pod may send anything after that time.
func (s *shop) expectEndedBy(t *testing.T, limit time.Time) {
	t.Helper()
	for name, at := range s.deleted {
		if last := at.Add(time.Duration(s.grace) * time.Second); last.After(limit) {
			t.Errorf("%s ends %v too late", name, last.Sub(limit))
		}
	}
}

// TestNothingIsDeletedWhileNothingChanges: over an hour, nothing but reads.
func TestNothingIsDeletedWhileNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop("web-1")
		w := watchOf(s)
		w.Keep(web, running("plan", []string{"kn1"}, "web-1"))
		end := start(t, w)
		for range 60 {
			time.Sleep(time.Minute)
			w.Keep(web, running("plan", []string{"kn1"}, "web-1")) // as every reconcile does
		}
		end()
		if len(s.deleted) > 0 || len(w.Stopped(web, "plan")) > 0 {
			t.Errorf("deleted %v", s.deleted)
		}
	})
}

// TestRunsThatAreNotWatched: no object is read for a run that has ended, or that has no pod.
func TestRunsThatAreNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		w := watchOf(s)
		w.Keep(web, running("plan", nil))
		w.Keep(types.NamespacedName{Namespace: "shop", Name: "ended"}, running("plan", []string{"kn1"}, "web-1"))
		w.Forget(types.NamespacedName{Namespace: "shop", Name: "ended"})
		end := start(t, w)
		time.Sleep(time.Minute)
		end()
		if s.reads > 0 {
			t.Errorf("%d reads", s.reads)
		}
		if err := w.Look(t.Context(), types.NamespacedName{Name: "unknown"}); err != nil {
			t.Error(err)
		}
	})
}

// TestStoppedBelongsToTheRun: the next run of the TCPProbe begins with nothing stopped, and one that goes on keeps it.
func TestStoppedBelongsToTheRun(t *testing.T) {
	s := newShop()
	w := watchOf(s)
	w.Keep(web, running("first", []string{"kn1"}, "web-1"))
	if err := w.Look(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	w.Keep(web, running("first", []string{"kn1"}, "web-1"))
	if len(w.Stopped(web, "first")) != 1 || len(w.Stopped(web, "second")) != 0 {
		t.Error("what is stopped of the first run is not known, or is known of the second")
	}
	w.Keep(web, running("second", []string{"kn1"}, "web-1"))
	if len(w.Stopped(web, "first"))+len(w.Stopped(web, "second")) != 0 {
		t.Error("the second run begins with what was stopped of the first")
	}
}

// TestFailedDeletionIsTriedAgain: at the next look, also if the pod that changed is back by then.
func TestFailedDeletionIsTriedAgain(t *testing.T) {
	s := newShop()
	s.failing = true
	w := watchOf(s)
	w.Keep(web, running("plan", []string{"kn1"}, "web-1"))
	if err := w.Look(t.Context(), web); err == nil || len(w.Stopped(web, "plan")) != 1 {
		t.Fatalf("%v, stopped %v", err, w.Stopped(web, "plan"))
	}
	s.failing = false
	w.Keep(web, running("plan", nil)) // the reconciler has recorded it
	if err := w.Look(t.Context(), web); err != nil || len(s.deleted) != 1 {
		t.Errorf("%v, deleted %v", err, s.deleted)
	}
}
