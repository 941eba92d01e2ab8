//go:build envtest

package reconciler

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// world is one test's part of the cluster: a tenant's namespace with a Service "web" and its pods, and a probe
// namespace of its own.
type world struct {
	*testing.T
	api    client.WithWatch
	clock  *testingclock.FakeClock
	tenant string
	probes string
	cast   *cast
}

func newWorld(t *testing.T) *world {
	t.Helper()
	api, err := client.NewWithWatch(admin, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, api: api, clock: testingclock.NewFakeClock(time.Now().Truncate(time.Second))}
	w.tenant, w.probes = w.namespace("tenant-"), w.namespace("probes-")
	w.cast = newCast(w)
	w.create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "web"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80}},
		},
	})
	return w
}

func (w *world) namespace(prefix string) string {
	w.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
	w.create(ns)
	return ns.Name
}

func (w *world) create(o client.Object) {
	w.Helper()
	if err := w.api.Create(w.Context(), o); err != nil {
		w.Fatal(err)
	}
}

// manager is a reconciler without caches: what it reads is what there is.
func (w *world) manager(api client.WithWatch, change ...func(*Config)) *Reconciler {
	c := Config{
		Client: api, Live: api, Clock: w.clock,
		Events: events.NewFakeRecorder(1000),
		Own:    target.OwnNamespaces{Manager: "tcpprobe-system", Probes: w.probes},
		Prober: probepod.Settings{Image: "example.test/tcpprobe:1", PullPolicy: corev1.PullNever, Namespace: w.probes,
			ServiceAccount: "prober", PriorityClass: "tcpprobe-prober"},
		Caps: limits.DefaultCaps,
	}
	for _, edit := range change {
		edit(&c)
	}
	return New(c)
}

// allowPods changes the caps of a manager that is already at work.
func (r *Reconciler) allowPods(caps limits.Caps) { r.planner.caps, r.launcher.caps = caps, caps }

// pod makes a ready pod of the Service, with its EndpointSlice.
func (w *world) pod(name, node, address string) *corev1.Pod {
	w.Helper()
	pod := w.barePod(name, address)
	pod.Spec.NodeName = node
	w.start(pod, address)
	w.create(controllertest.Slice(w.tenant, "web", "-"+name, refTo(pod), address))
	return pod
}

func (w *world) barePod(name, _ string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
	}
}

// start creates the pod and plays its kubelet: running and Ready with this address.
func (w *world) start(pod *corev1.Pod, address string) {
	w.Helper()
	w.create(pod)
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: address}}, PodIP: address,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "web", Ready: true}},
	}
	if err := w.api.Status().Update(w.Context(), pod); err != nil {
		w.Fatal(err)
	}
}

func refTo(pod *corev1.Pod) *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
}

// probe creates the smallest TCPProbe of the Service, changed by edit.
func (w *world) probe(edit ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	w.Helper()
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "web"}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
	for _, e := range edit {
		e(p)
	}
	w.create(p)
	return p
}

func (w *world) get(p *v1alpha1.TCPProbe) *v1alpha1.TCPProbe {
	w.Helper()
	var out v1alpha1.TCPProbe
	if err := w.api.Get(w.Context(), client.ObjectKeyFromObject(p), &out); err != nil {
		w.Fatal(err)
	}
	return &out
}

// edit changes the TCPProbe as a user would.
func (w *world) edit(p *v1alpha1.TCPProbe, change func(*v1alpha1.TCPProbe)) {
	w.Helper()
	now := w.get(p)
	before := now.DeepCopy()
	change(now)
	if err := w.api.Patch(w.Context(), now, client.MergeFrom(before)); err != nil {
		w.Fatal(err)
	}
}

func runAgain(value string) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) {
		if p.Annotations == nil {
			p.Annotations = make(map[string]string)
		}
		p.Annotations[v1alpha1.RunAnnotation] = value
	}
}

// step is one look of the manager; a conflict with another one is no error.
func (w *world) step(r *Reconciler, p *v1alpha1.TCPProbe) (time.Duration, error) {
	result, err := r.Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p)})
	return result.RequeueAfter, err
}

// pass is a step that must not fail.
func (w *world) pass(r *Reconciler, p *v1alpha1.TCPProbe) {
	w.Helper()
	if _, err := w.step(r, p); err != nil {
		w.Fatal(err)
	}
}

// drive lets manager, kubelet and time take turns until done, for at most 200 turns.
func (w *world) drive(r *Reconciler, p *v1alpha1.TCPProbe, done func(*v1alpha1.TCPProbe) bool) *v1alpha1.TCPProbe {
	w.Helper()
	for range 200 {
		wait, err := w.step(r, p)
		if err != nil {
			w.Fatal(err)
		}
		if now := w.get(p); done(now) {
			return now
		}
		w.cast.act()
		w.clock.Step(max(wait, 100*time.Millisecond))
	}
	w.Fatalf("no end in sight: %+v", w.get(p).Status)
	return nil
}

// over waits for the run with this number.
func over(number int64) func(*v1alpha1.TCPProbe) bool {
	return func(p *v1alpha1.TCPProbe) bool {
		return p.Status.ActiveRun == nil && p.Status.LastRun != nil && p.Status.LastRun.Number == number
	}
}

// condition demands a condition's status and reason, and returns its message.
func (w *world) condition(p *v1alpha1.TCPProbe, kind string, status metav1.ConditionStatus, reason string) string {
	w.Helper()
	c := meta.FindStatusCondition(p.Status.Conditions, kind)
	if c == nil || c.Status != status || c.Reason != reason {
		w.Errorf("%s is %s; want %s/%s", kind, show(c), status, reason)
		return ""
	}
	if c.ObservedGeneration != p.Generation {
		w.Errorf("%s is of generation %d, not %d", kind, c.ObservedGeneration, p.Generation)
	}
	return c.Message
}

func show(c *metav1.Condition) string {
	if c == nil {
		return "missing"
	}
	return fmt.Sprintf("%s/%s (%s)", c.Status, c.Reason, c.Message)
}

// plans lists what there is in the probe namespace.
func (w *world) plans() []corev1.ConfigMap {
	w.Helper()
	var list corev1.ConfigMapList
	if err := w.api.List(w.Context(), &list, client.InNamespace(w.probes),
		client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}); err != nil {
		w.Fatal(err)
	}
	return list.Items
}

func (w *world) proberPods() []corev1.Pod {
	w.Helper()
	var list corev1.PodList
	if err := w.api.List(w.Context(), &list, client.InNamespace(w.probes)); err != nil {
		w.Fatal(err)
	}
	return list.Items
}

func (w *world) delete(o client.Object, opts ...client.DeleteOption) {
	w.Helper()
	if err := w.api.Delete(w.Context(), o, opts...); err != nil && !apierrors.IsNotFound(err) {
		w.Fatal(err)
	}
}

// empty demands that nothing is left in the probe namespace once the garbage collector has been there.
func (w *world) empty() {
	w.Helper()
	w.cast.collect()
	for _, o := range w.plans() {
		w.Errorf("left behind: plan %s", o.Name)
	}
	for _, p := range w.proberPods() {
		w.Errorf("left behind: pod %s, %s", p.Name, p.Status.Phase)
	}
}
