//go:build envtest

package reconciler

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

func (env *testEnv) setStatus(pod *corev1.Pod, change func(*corev1.PodStatus)) {
	env.Helper()
	change(&pod.Status)
	if err := env.api.Status().Update(env.Context(), pod); err != nil {
		env.Fatal(err)
	}
}

func (env *testEnv) changeService(change func(*corev1.Service)) {
	env.Helper()
	svc := env.read(env.tenant, "web", &corev1.Service{}).(*corev1.Service)
	change(svc)
	if err := env.api.Update(env.Context(), svc); err != nil {
		env.Fatal(err)
	}
}

func sliceOf(env *testEnv, pod *corev1.Pod) *discoveryv1.EndpointSlice {
	env.Helper()
	return env.read(env.tenant, "web-"+pod.Name, &discoveryv1.EndpointSlice{}).(*discoveryv1.EndpointSlice)
}

// fillOne has a pod running that fills the queue of the only endpoint.
func (env *testEnv) fillOne() (*Reconciler, *v1alpha1.TCPProbe, *corev1.Pod) {
	env.Helper()
	pod := env.pod("web-1", "kn1", "10.244.1.5")
	env.consentToAcceptQueue("only-endpoint")
	for _, node := range []string{"kn1", "kn2", "kn3"} {
		env.nodes.behaviour[node] = bindAndRun
	}
	r, p := env.manager(env.api), env.probe(withAcceptQueue)
	env.runUntil(r, p, func(*v1alpha1.TCPProbe) bool { return env.running() == 1 })
	env.reconcile(r, p)
	return r, p, pod
}

// TestConsentWithdrawnWhileFilling: a queue is not filled any longer than its owner consents.
func TestConsentWithdrawnWhileFilling(t *testing.T) {
	env := newTestEnv(t)
	r, p, _ := env.fillOne()
	env.lookLeaves(r, p, 1)
	env.consentToAcceptQueue("no longer")
	env.lookLeaves(r, p, 0)
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonConsentMissing)
}

// TestUnreadyByAFullQueue: a pod whose queue the run fills may lose its readiness by that, and the run goes on. It
// does not go on if the pod is gone.
func TestUnreadyByAFullQueue(t *testing.T) {
	env := newTestEnv(t)
	r, p, pod := env.fillOne()
	env.setStatus(pod, func(s *corev1.PodStatus) { s.Conditions[0].Status = corev1.ConditionFalse })
	env.lookLeaves(r, p, 1)
	env.giveAddressAway(pod)
	env.lookLeaves(r, p, 0)
}

// TestForeignConsentWithdrawnWhileProbed: the owner of a Service of another namespace ends runs that are under way.
func TestForeignConsentWithdrawnWhileProbed(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	own := env.namespace("own-")
	env.annotateService(v1alpha1.AllowFromAnnotation, own)
	r, p := env.manager(env.api), env.probe(func(p *v1alpha1.TCPProbe) {
		p.Namespace, p.Spec.Target.Service.Namespace = own, env.tenant
	})
	env.startThree(r, p)
	env.lookLeaves(r, p, 3)
	env.annotateService(v1alpha1.AllowFromAnnotation, "another")
	env.lookLeaves(r, p, 0)
	env.expect(env.runUntil(r, p, runEnded(1)), v1alpha1.ConditionCovered, metav1.ConditionFalse,
		v1alpha1.ReasonConsentMissing)
}

// TestSliceEditedWhileProbed: a ClusterIP that may lead elsewhere is not probed any longer.
func TestSliceEditedWhileProbed(t *testing.T) {
	env := newTestEnv(t)
	pod := env.pod("web-1", "kn1", "10.244.1.5")
	r, p := env.manager(env.api), env.probe(controllertest.ViaClusterIP)
	env.startThree(r, p)
	env.lookLeaves(r, p, 3)
	env.create(controllertest.Slice(env.tenant, "web", "-more", refTo(pod), "192.168.7.2"))
	env.lookLeaves(r, p, 0)
	message := env.expect(env.runUntil(r, p, runEnded(1)), v1alpha1.ConditionCovered, metav1.ConditionFalse,
		v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, "the EndpointSlices of Service web were changed") {
		t.Errorf("message %q", message)
	}
}

// TestOnlyThePodsConcernedAreEnded: a node that does not have the changed target goes on.
func TestOnlyThePodsConcernedAreEnded(t *testing.T) {
	env := newTestEnv(t)
	pods := map[string]*corev1.Pod{}
	for name, address := range map[string]string{"web-1": "10.244.1.5", "web-2": "10.244.2.5", "web-3": "10.244.3.5"} {
		pods[name] = env.pod(name, "kn1", address)
	}
	r, p := env.manager(env.api), env.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.MaxEndpoints = 1 })
	env.startThree(r, p)
	tie := env.tieOf(r, p)
	changed := tie.Sources[0].To[0].Pod
	want := 0
	for _, source := range tie.Sources {
		if source.To[0].Pod != changed {
			want++
		}
	}
	env.delete(pods[changed], zeroGrace)
	env.lookLeaves(r, p, want)
}

// TestWatchOfANewManager: a manager that takes over watches the runs that it finds.
func TestWatchOfANewManager(t *testing.T) {
	env := newTestEnv(t)
	pod := env.pod("web-1", "kn1", "10.244.1.5")
	p := env.probe()
	env.startThree(env.manager(env.api), p)
	env.giveAddressAway(pod)
	next := env.manager(env.api)
	env.reconcile(next, p)
	env.lookLeaves(next, p, 0)
	env.expect(env.runUntil(next, p, runEnded(1)), v1alpha1.ConditionCovered, metav1.ConditionFalse,
		v1alpha1.ReasonTargetChanged)
}

// TestUnreadableTargetsWhileProbed: what cannot be read is no change. A pod that could not be deleted is deleted at
// the next look.
func TestUnreadableTargetsWhileProbed(t *testing.T) {
	env := newTestEnv(t)
	pod := env.pod("web-1", "kn1", "10.244.1.5")
	var down, keeps bool
	errDown := errors.New("the API server is down")
	flaky := interceptor.NewClient(env.api, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object,
			opts ...client.GetOption) error {
			if down && key.Namespace == env.tenant {
				return errDown
			}
			return c.Get(ctx, key, o, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if keeps {
				return errDown
			}
			return c.Delete(ctx, o, opts...)
		},
	})
	r, p := env.manager(flaky), env.probe()
	env.startThree(r, p)
	down = true
	if err := r.watch.Look(t.Context(), client.ObjectKeyFromObject(p)); !errors.Is(err, errDown) || env.running() != 3 {
		t.Errorf("%v, %d of 3 pods go on", err, env.running())
	}
	down, keeps = false, true
	env.giveAddressAway(pod)
	if err := r.watch.Look(t.Context(), client.ObjectKeyFromObject(p)); !errors.Is(err, errDown) || env.running() != 3 {
		t.Errorf("%v, %d of 3 pods go on", err, env.running())
	}
	keeps = false
	env.lookLeaves(r, p, 0)
}

// tieOf is what the TCPProbe's running pods depend on.
func (env *testEnv) tieOf(r *Reconciler, p *v1alpha1.TCPProbe) target.Tie {
	env.Helper()
	rc := &reconcileContext{probe: env.get(p), now: env.clock.Now()}
	s, err := r.state.read(env.Context(), rc)
	if err != nil {
		env.Fatal(err)
	}
	return tieOf(rc, s, func(string) bool { return true })
}
