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

// testEnv is one test's part of the cluster: a tenant's namespace with a Service "web" and its pods, and a probe
// namespace of its own.
type testEnv struct {
	*testing.T
	api    client.WithWatch
	clock  *testingclock.FakeClock
	tenant string
	probes string
	nodes  *fakeNodes
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	api, err := client.NewWithWatch(admin, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	env := &testEnv{T: t, api: api, clock: testingclock.NewFakeClock(time.Now().Truncate(time.Second))}
	env.tenant, env.probes = env.namespace("tenant-"), env.namespace("probes-")
	env.nodes = newFakeNodes(env)
	env.create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "web"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80}},
		},
	})
	return env
}

func (env *testEnv) namespace(prefix string) string {
	env.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
	env.create(ns)
	return ns.Name
}

func (env *testEnv) create(o client.Object) {
	env.Helper()
	if err := env.api.Create(env.Context(), o); err != nil {
		env.Fatal(err)
	}
}

// manager is a Reconciler without caches: it reads everything from the API server.
func (env *testEnv) manager(api client.WithWatch, change ...func(*Config)) *Reconciler {
	c := Config{
		Client: api, Live: api, Clock: env.clock,
		Events: events.NewFakeRecorder(1000),
		Own:    target.OwnNamespaces{Manager: "tcpprobe-system", Probes: env.probes},
		Prober: probepod.Settings{Image: "example.test/tcpprobe:1", PullPolicy: corev1.PullNever, Namespace: env.probes,
			ServiceAccount: "prober", PriorityClass: "tcpprobe-prober"},
		Caps: limits.DefaultCaps,
	}
	for _, edit := range change {
		edit(&c)
	}
	return New(c)
}

// setCaps changes the caps of a manager that is already running.
func (r *Reconciler) setCaps(caps limits.Caps) { r.planner.caps, r.launcher.caps = caps, caps }

// pod creates a ready pod of the Service, with its EndpointSlice.
func (env *testEnv) pod(name, node, address string) *corev1.Pod {
	env.Helper()
	pod := env.barePod(name, address)
	pod.Spec.NodeName = node
	env.startPod(pod, address)
	env.create(controllertest.Slice(env.tenant, "web", "-"+name, refTo(pod), address))
	return pod
}

func (env *testEnv) barePod(name, _ string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
	}
}

// startPod creates the pod and does what its kubelet would: the pod is running and Ready with this address.
func (env *testEnv) startPod(pod *corev1.Pod, address string) {
	env.Helper()
	env.create(pod)
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: address}}, PodIP: address,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "web", Ready: true}},
	}
	if err := env.api.Status().Update(env.Context(), pod); err != nil {
		env.Fatal(err)
	}
}

func refTo(pod *corev1.Pod) *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
}

// probe creates the smallest TCPProbe of the Service, changed by edit.
func (env *testEnv) probe(edit ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	env.Helper()
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "web"}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
	for _, e := range edit {
		e(p)
	}
	env.create(p)
	return p
}

func (env *testEnv) get(p *v1alpha1.TCPProbe) *v1alpha1.TCPProbe {
	env.Helper()
	var out v1alpha1.TCPProbe
	if err := env.api.Get(env.Context(), client.ObjectKeyFromObject(p), &out); err != nil {
		env.Fatal(err)
	}
	return &out
}

// edit changes the TCPProbe as a user would.
func (env *testEnv) edit(p *v1alpha1.TCPProbe, change func(*v1alpha1.TCPProbe)) {
	env.Helper()
	now := env.get(p)
	before := now.DeepCopy()
	change(now)
	if err := env.api.Patch(env.Context(), now, client.MergeFrom(before)); err != nil {
		env.Fatal(err)
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

// tryReconcile reconciles once. A conflict with another manager is no error.
func (env *testEnv) tryReconcile(r *Reconciler, p *v1alpha1.TCPProbe) (time.Duration, error) {
	result, err := r.Reconcile(env.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(p)})
	return result.RequeueAfter, err
}

// reconcile reconciles once and must not fail.
func (env *testEnv) reconcile(r *Reconciler, p *v1alpha1.TCPProbe) {
	env.Helper()
	if _, err := env.tryReconcile(r, p); err != nil {
		env.Fatal(err)
	}
}

// runUntil lets the manager, the kubelets and the clock take turns until done, for at most 200 turns.
func (env *testEnv) runUntil(r *Reconciler, p *v1alpha1.TCPProbe,
	done func(*v1alpha1.TCPProbe) bool) *v1alpha1.TCPProbe {
	env.Helper()
	for range 200 {
		wait, err := env.tryReconcile(r, p)
		if err != nil {
			env.Fatal(err)
		}
		if now := env.get(p); done(now) {
			return now
		}
		env.nodes.runPods()
		env.clock.Step(max(wait, 100*time.Millisecond))
	}
	env.Fatalf("not done after 200 turns: %+v", env.get(p).Status)
	return nil
}

// runEnded reports whether the run with this number has ended.
func runEnded(number int64) func(*v1alpha1.TCPProbe) bool {
	return func(p *v1alpha1.TCPProbe) bool {
		return p.Status.ActiveRun == nil && p.Status.LastRun != nil && p.Status.LastRun.Number == number
	}
}

// expect fails the test if a condition does not have this status and reason. It returns the condition's message.
func (env *testEnv) expect(p *v1alpha1.TCPProbe, kind string, status metav1.ConditionStatus, reason string) string {
	env.Helper()
	c := meta.FindStatusCondition(p.Status.Conditions, kind)
	if c == nil || c.Status != status || c.Reason != reason {
		env.Errorf("%s is %s; want %s/%s", kind, describe(c), status, reason)
		return ""
	}
	if c.ObservedGeneration != p.Generation {
		env.Errorf("%s is of generation %d, not %d", kind, c.ObservedGeneration, p.Generation)
	}
	return c.Message
}

func describe(c *metav1.Condition) string {
	if c == nil {
		return "missing"
	}
	return fmt.Sprintf("%s/%s (%s)", c.Status, c.Reason, c.Message)
}

// plans lists the plans in the probe namespace.
func (env *testEnv) plans() []corev1.ConfigMap {
	env.Helper()
	var list corev1.ConfigMapList
	if err := env.api.List(env.Context(), &list, client.InNamespace(env.probes),
		client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}); err != nil {
		env.Fatal(err)
	}
	return list.Items
}

func (env *testEnv) proberPods() []corev1.Pod {
	env.Helper()
	var list corev1.PodList
	if err := env.api.List(env.Context(), &list, client.InNamespace(env.probes)); err != nil {
		env.Fatal(err)
	}
	return list.Items
}

func (env *testEnv) delete(o client.Object, opts ...client.DeleteOption) {
	env.Helper()
	if err := env.api.Delete(env.Context(), o, opts...); err != nil && !apierrors.IsNotFound(err) {
		env.Fatal(err)
	}
}

// requireNothingLeft fails the test if anything is left in the probe namespace after garbage collection.
func (env *testEnv) requireNothingLeft() {
	env.Helper()
	env.nodes.collectGarbage()
	for _, configMap := range env.plans() {
		env.Errorf("left behind: plan %s", configMap.Name)
	}
	for _, p := range env.proberPods() {
		env.Errorf("left behind: pod %s, %s", p.Name, p.Status.Phase)
	}
}
