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

// counting calls seen at every write of a TCPProbe's status that succeeds.
func counting(w *world, seen func()) client.WithWatch {
	return interceptor.NewClient(w.api, interceptor.Funcs{
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

// stay keeps a prober running.
func stay(c *cast, pod *corev1.Pod, _ *plan.Plan, _ string) error {
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning,
		ContainerStatuses: proberState(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})}
	return c.api.Status().Update(c.Context(), pod)
}

func (w *world) busy() {
	for _, n := range controllertest.Three {
		w.cast.acts[n] = stay
	}
}

func (w *world) idle() { clear(w.cast.acts) }

// probing is a run whose probers are all running.
func (w *world) probing(p *v1alpha1.TCPProbe) bool {
	pods := w.proberPods()
	for i := range pods {
		if len(pods[i].Status.ContainerStatuses) == 0 {
			return false
		}
	}
	return len(pods) == 3 && begun(p)
}

func TestDeletedDuringItsRun(t *testing.T) {
	w := furnished(t)
	w.busy()
	p := w.probe()
	r := w.manager(w.api)
	w.drive(r, p, w.probing)
	w.delete(p)
	w.pass(r, p)
	w.empty()
}

// TestNamespaceDeletedDuringTheRun: nothing of the operator's holds the namespace back.
func TestNamespaceDeletedDuringTheRun(t *testing.T) {
	w := furnished(t)
	w.busy()
	p := w.probe()
	r := w.manager(w.api)
	now := w.drive(r, p, w.probing)
	if len(now.Finalizers) > 0 {
		t.Errorf("finalizers %v", now.Finalizers)
	}
	w.delete(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.tenant}})
	// a pass while the namespace is going
	w.pass(r, p)
	// the namespace controller's part
	if err := w.api.DeleteAllOf(t.Context(), &v1alpha1.TCPProbe{}, client.InNamespace(w.tenant)); err != nil {
		t.Fatal(err)
	}
	w.pass(r, p)
	w.empty()
}

func TestApplyDeleteApply(t *testing.T) {
	w := furnished(t)
	w.busy()
	p := w.probe()
	r := w.manager(w.api)
	first := w.drive(r, p, w.probing)
	w.delete(p)
	w.idle()
	again := w.probe() // before any manager saw the deletion
	done := w.drive(r, again, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if done.Status.LastRun.ID == first.Status.ActiveRun.ID {
		t.Error("two TCPProbes have the same run")
	}
	if n := w.cast.once(); n != 6 {
		t.Errorf("%d probers ran; want 3 of each", n)
	}
	w.empty()
}

func TestSweepFindsWhatNobodySawDeleted(t *testing.T) {
	w := furnished(t)
	w.busy()
	p := w.probe()
	w.drive(w.manager(w.api), p, w.probing)
	other := w.probe(func(p *v1alpha1.TCPProbe) { p.Name = "other" })
	w.drive(w.manager(w.api), other, begun)
	w.delete(p)
	leader := w.manager(w.api)
	if err := leader.sweeper.CollectAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.cast.collect()
	for _, o := range w.plans() {
		if runplan.ProbeOf(&o).Name != "other" {
			t.Errorf("left behind: %s", o.Name)
		}
	}
	if len(w.plans()) != 1 {
		t.Error("the sweep took the plan of a run that goes on")
	}
}

// TestDeletedPlanEndsTheRun: what was deleted is not made again.
func TestDeletedPlanEndsTheRun(t *testing.T) {
	w := furnished(t)
	w.busy()
	p := w.probe()
	r := w.manager(w.api)
	w.drive(r, p, w.probing)
	configMap := w.plans()[0]
	w.delete(&configMap)
	w.cast.collect()
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonPodDeleted)
	if n := w.cast.once(); n != 3 || len(w.proberPods()) > 0 {
		t.Errorf("%d probers ran, %d pods are there", n, len(w.proberPods()))
	}
}

// TestDeletedPodIsNotMadeAgain, whenever it is deleted, and the report of one that has reported is not lost with it.
func TestDeletedPodIsNotMadeAgain(t *testing.T) {
	w := furnished(t)
	w.busy()
	delete(w.cast.acts, "kn1")
	p := w.probe()
	r := w.manager(w.api)
	w.drive(r, p, func(p *v1alpha1.TCPProbe) bool { return p.Status.ActiveRun != nil && p.Status.ActiveRun.Reported == 1 })
	for _, pod := range w.proberPods() { // as a drain of kn1 and kn2 does
		if pod.Annotations[runplan.AnnotationSource] != "kn3" {
			w.delete(&pod, zeroGrace)
		}
	}
	for range 5 {
		w.pass(r, p)
		w.clock.Step(statusPace)
	}
	if n := len(w.proberPods()); n != 1 {
		t.Errorf("%d pods; want the one of kn3", n)
	}
	now := w.get(p)
	if c := meta.FindStatusCondition(now.Status.Conditions,
		v1alpha1.ConditionComplete); c.Reason != v1alpha1.ReasonPodDeleted || now.Status.ActiveRun.Reported != 1 {
		t.Errorf("%s, reported %d; want kn2's loss shown and kn1's report kept", show(c), now.Status.ActiveRun.Reported)
	}
	for _, pod := range w.proberPods() {
		if err := w.cast.exitHonestly(&pod, w.plans()[0], "kn3"); err != nil {
			t.Fatal(err)
		}
	}
	done := w.drive(r, p, over(1))
	if s := done.Status; s.LastRun.Reported != 2 || s.Pairs.Inconclusive != 2 || len(s.Findings) != 1 ||
		s.Findings[0].Source != "kn2" {
		t.Errorf("status %+v", s)
	}
	w.cast.once()
}

// TestLateManagerCannotRunAPodTwice plays a manager that slept between creating a pod and recording it, while another
// one did so, ran the pod and lost it.
func TestLateManagerCannotRunAPodTwice(t *testing.T) {
	w := furnished(t)
	w.busy()
	p := w.probe()
	r := w.manager(w.api)
	now := w.drive(r, p, w.probing)
	configMap := w.plans()[0]
	f, err := runplan.Decode(configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot])
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range w.proberPods() {
		w.delete(&pod, zeroGrace)
	}
	for i, node := range f.Nodes() { // the late manager wakes up
		w.create(probepod.New(&configMap, f, i, node, r.launcher.prober))
	}
	done := w.drive(r, now, over(1))
	if done.Status.LastRun.Reported != 0 {
		t.Errorf("%d nodes reported", done.Status.LastRun.Reported)
	}
	if n := w.cast.once(); n != 3 {
		t.Errorf("%d probers ran", n)
	}
	w.empty()
}
