//go:build envtest

package reconciler

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// countStatusWrites calls seen after every successful write of a TCPProbe's status.
func countStatusWrites(env *testEnv, seen func()) client.WithWatch {
	return interceptor.NewClient(env.api, interceptor.Funcs{
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object,
			opts ...client.SubResourceUpdateOption) error {
			err := c.SubResource(sub).Update(ctx, o, opts...)
			if err == nil {
				seen()
			}
			return err
		},
	})
}

// keepRunning keeps a prober running.
func keepRunning(nodes *fakeNodes, pod *corev1.Pod, _ *plan.Plan, _ string) error {
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning,
		ContainerStatuses: proberState(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})}
	return nodes.api.Status().Update(nodes.Context(), pod)
}

func (env *testEnv) keepProbersRunning() {
	for _, n := range controllertest.ThreeNodes {
		env.nodes.behaviour[n] = keepRunning
	}
}

func (env *testEnv) letProbersPass() { clear(env.nodes.behaviour) }

// allProbersRun reports whether all probers of the run are running.
func (env *testEnv) allProbersRun(p *v1alpha1.TCPProbe) bool {
	pods := env.proberPods()
	for i := range pods {
		if len(pods[i].Status.ContainerStatuses) == 0 {
			return false
		}
	}
	return len(pods) == 3 && runStarted(p)
}

// newTestEnvWithRunningProbers returns a TCPProbe with an active run, whose probers all run and do not end.
func newTestEnvWithRunningProbers(t *testing.T) (*testEnv, *Reconciler, *v1alpha1.TCPProbe) {
	t.Helper()
	env := newTestEnvWithPods(t)
	env.keepProbersRunning()
	r := env.manager(env.api)
	p := env.runUntil(r, env.probe(), env.allProbersRun)
	return env, r, p
}

func TestDeletedDuringItsRun(t *testing.T) {
	env, r, p := newTestEnvWithRunningProbers(t)
	env.delete(p)
	env.reconcile(r, p)
	env.requireNothingLeft()
}

// TestNamespaceDeletedDuringTheRun: no object of the operator blocks the deletion of the namespace.
func TestNamespaceDeletedDuringTheRun(t *testing.T) {
	env, r, p := newTestEnvWithRunningProbers(t)
	if len(p.Finalizers) > 0 {
		t.Errorf("finalizers %v", p.Finalizers)
	}
	env.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: env.tenant}})
	// a reconcile while the namespace is being deleted
	env.reconcile(r, p)
	// what the namespace controller does
	if err := env.api.DeleteAllOf(t.Context(), &v1alpha1.TCPProbe{}, client.InNamespace(env.tenant)); err != nil {
		t.Fatal(err)
	}
	env.reconcile(r, p)
	env.requireNothingLeft()
}

func TestApplyDeleteApply(t *testing.T) {
	env, r, first := newTestEnvWithRunningProbers(t)
	env.delete(first)
	env.letProbersPass()
	again := env.probe() // before a manager has seen the deletion
	done := env.runUntil(r, again, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if done.Status.LastRun.ID == first.Status.ActiveRun.ID {
		t.Error("two TCPProbes have the same run")
	}
	if n := env.nodes.requireOneRunEach(); n != 6 {
		t.Errorf("%d probers ran; want 3 of each", n)
	}
	env.requireNothingLeft()
}

func TestSweepAfterAMissedDeletion(t *testing.T) {
	env, _, p := newTestEnvWithRunningProbers(t)
	other := env.probe(func(p *v1alpha1.TCPProbe) { p.Name = "other" })
	env.runUntil(env.manager(env.api), other, runStarted)
	env.delete(p)
	leader := env.manager(env.api)
	if err := leader.sweeper.CollectAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	env.nodes.collectGarbage()
	for _, configMap := range env.plans() {
		if runplan.ProbeOf(&configMap).Name != "other" {
			t.Errorf("left behind: %s", configMap.Name)
		}
	}
	if len(env.plans()) != 1 {
		t.Error("the sweep deleted the plan of an active run")
	}
}

// TestDeletedPlanEndsTheRun: a deleted plan is not created again.
func TestDeletedPlanEndsTheRun(t *testing.T) {
	env, r, p := newTestEnvWithRunningProbers(t)
	configMap := env.plans()[0]
	env.delete(&configMap)
	env.nodes.collectGarbage()
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonPodDeleted)
	if n := env.nodes.requireOneRunEach(); n != 3 || len(env.proberPods()) > 0 {
		t.Errorf("%d probers ran, %d pods are there", n, len(env.proberPods()))
	}
}

// TestDeletedPodIsNotMadeAgain: a pod is not created again, whenever it is deleted. A report that was read is kept.
func TestDeletedPodIsNotMadeAgain(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.keepProbersRunning()
	delete(env.nodes.behaviour, "kn1")
	p := env.probe()
	r := env.manager(env.api)
	env.runUntil(r, p, func(p *v1alpha1.TCPProbe) bool {
		return p.Status.ActiveRun != nil && p.Status.ActiveRun.Reported == 1
	})
	for _, pod := range env.proberPods() { // as a drain of kn1 and kn2 does
		if pod.Annotations[runplan.AnnotationSource] != "kn3" {
			env.delete(&pod, zeroGrace)
		}
	}
	for range 5 {
		env.reconcile(r, p)
		env.clock.Step(statusPace)
	}
	if n := len(env.proberPods()); n != 1 {
		t.Errorf("%d pods; want the one of kn3", n)
	}
	now := env.get(p)
	c := meta.FindStatusCondition(now.Status.Conditions, v1alpha1.ConditionComplete)
	if c.Reason != v1alpha1.ReasonPodDeleted || now.Status.ActiveRun.Reported != 1 {
		t.Errorf("%s, reported %d; want kn2's loss shown and kn1's report kept", describe(c), now.Status.ActiveRun.Reported)
	}
	for _, pod := range env.proberPods() {
		if err := env.nodes.exitWithPass(&pod, env.plans()[0], "kn3"); err != nil {
			t.Fatal(err)
		}
	}
	done := env.runUntil(r, p, runEnded(1))
	if s := done.Status; s.LastRun.Reported != 2 || s.Pairs.Inconclusive != 2 || len(s.Findings) != 1 ||
		s.Findings[0].Source != "kn2" {
		t.Errorf("status %+v", s)
	}
	env.nodes.requireOneRunEach()
}

// TestLateManagerCannotRunAPodTwice: a manager is paused between creating pods and recording them. Meanwhile another
// one records its own pods, runs them and loses them.
func TestLateManagerCannotRunAPodTwice(t *testing.T) {
	env, r, p := newTestEnvWithRunningProbers(t)
	configMap := env.plans()[0]
	rp, err := runplan.Decode(configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot])
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range env.proberPods() {
		env.delete(&pod, zeroGrace)
	}
	for i, node := range rp.Nodes() { // the late manager continues
		env.create(probepod.New(&configMap, rp, i, node, r.launcher.prober))
	}
	done := env.runUntil(r, p, runEnded(1))
	if done.Status.LastRun.Reported != 0 {
		t.Errorf("%d nodes reported", done.Status.LastRun.Reported)
	}
	if n := env.nodes.requireOneRunEach(); n != 3 {
		t.Errorf("%d probers ran", n)
	}
	env.requireNothingLeft()
}
