//go:build envtest

package reconciler

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

var zeroGrace = client.GracePeriodSeconds(0)

func pending(why []corev1.PodCondition, containers []corev1.ContainerStatus) act {
	return hasStatus(corev1.PodStatus{Phase: corev1.PodPending, Conditions: why, ContainerStatuses: containers})
}

func ends(code int32, reason string) act {
	return func(c *cast, pod *corev1.Pod, _ *plan.Plan, _ string) error {
		pod.Status.Phase = corev1.PodFailed
		return c.terminate(pod, corev1.ContainerStateTerminated{ExitCode: code, Reason: reason})
	}
}

func dies(c *cast, pod *corev1.Pod, _ *plan.Plan, _ string) error {
	return c.api.Delete(c.Context(), pod, zeroGrace)
}

var noRoom = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
	Message: "0/3 nodes are available: 1 Insufficient memory."}}

func waits(reason string) []corev1.ContainerStatus {
	return proberState(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason,
		Message: "as the kubelet says it"}})
}

// failures are what may become of a pod, and the reason that it gets.
var failures = map[string]struct {
	does   act
	reason string
	early  bool // shown while the run goes on
}{
	"no room":      {pending(noRoom, nil), v1alpha1.ReasonUnschedulable, true},
	"no image":     {pending(nil, waits("ErrImagePull")), v1alpha1.ReasonImagePull, true},
	"not created":  {pending(nil, waits("CreateContainerError")), v1alpha1.ReasonNotCreated, true},
	"never starts": {pending(nil, waits("ContainerCreating")), v1alpha1.ReasonStartTimeout, false},
	"evicted": {hasStatus(corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on memory"}),
		v1alpha1.ReasonEvicted, false},
	"not admitted": {hasStatus(corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfmemory"}),
		v1alpha1.ReasonNodeRejected, false},
	"out of memory":  {ends(137, "OOMKilled"), v1alpha1.ReasonOutOfMemory, false},
	"killed":         {ends(137, "Error"), string(report.ProberKilled), false},
	"without a word": {ends(1, "Error"), v1alpha1.ReasonReportMissing, false},
	"deleted":        {dies, v1alpha1.ReasonPodDeleted, false},
}

// TestEveryWayThatAPodFails: each is its own reason in the end, and those that the cluster knows before are shown at
// once.
func TestEveryWayThatAPodFails(t *testing.T) {
	for name, c := range failures {
		t.Run(name, func(t *testing.T) {
			w := furnished(t)
			w.cast.acts["kn2"] = c.does
			early := false
			done := w.drive(w.manager(w.api), w.probe(), func(p *v1alpha1.TCPProbe) bool {
				complete := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
				early = early || complete != nil && complete.Status == metav1.ConditionFalse && complete.Reason == c.reason &&
					strings.Contains(complete.Message, "kn2: "+c.reason)
				return over(1)(p)
			})
			if early != c.early {
				t.Errorf("shown while the run went on: %t; want %t", early, c.early)
			}
			w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, c.reason)
			w.condition(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonPartly)
			if s := done.Status; s.LastRun.Reported != 2 || s.Pairs.Inconclusive != 2 || len(s.Findings) != 1 ||
				s.Findings[0].Source != "kn2" {
				t.Errorf("status %+v", s)
			}
			if n := w.cast.once(); n != 3 {
				t.Errorf("%d probers ran", n)
			}
			w.cast.collect()
			for _, pod := range w.proberPods() {
				if !limits.Ended(&pod) {
					t.Errorf("pod %s may still start", pod.Name)
				}
			}
		})
	}
}

func TestQuota(t *testing.T) {
	w := furnished(t)
	w.quota(1)
	p := w.probe()
	r := w.manager(w.api)
	early := false
	done := w.drive(r, p, func(p *v1alpha1.TCPProbe) bool {
		c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
		early = early || c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonQuota
		return over(1)(p)
	})
	if !early {
		t.Error("the quota was not shown while the run waited for it")
	}
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonQuota)
	if done.Status.LastRun.Reported != 1 {
		t.Errorf("%d nodes reported; the quota lets one pod in", done.Status.LastRun.Reported)
	}
}

// quota limits the pods of the probe namespace. Nobody counts them here, so the test states what is used.
func (w *world) quota(pods int64) {
	w.Helper()
	hard := corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(pods, resource.DecimalSI)}
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.probes, Name: "few"},
		Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	w.create(q)
	q.Status = corev1.ResourceQuotaStatus{Hard: hard,
		Used: corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(0, resource.DecimalSI)}}
	if err := w.api.Status().Update(w.Context(), q); err != nil {
		w.Fatal(err)
	}
}

func TestRefusedPods(t *testing.T) {
	w := furnished(t)
	r := w.manager(w.api, func(c *Config) { c.Prober.PriorityClass = "no-such-class" })
	done := w.drive(r, w.probe(), over(1))
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonPodRefused)
	if !strings.Contains(message, "no-such-class") || done.Status.LastRun.Reported != 0 {
		t.Errorf("message %q", message)
	}
	w.empty()
}

func TestNodeThatGoesDuringTheRun(t *testing.T) {
	w := furnished(t)
	gone := controllertest.Node("kn9", "192.168.7.9")
	gone.Labels["pool"] = w.tenant
	made := gone.DeepCopy()
	w.create(made)
	made.Status = gone.Status
	if err := w.api.Status().Update(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.api.Delete(context.Background(), gone) })
	w.cast.acts["kn9"] = func(c *cast, pod *corev1.Pod, p *plan.Plan, n string) error {
		w.delete(gone)
		return dies(c, pod, p, n)
	}
	done := w.drive(w.manager(w.api), w.probe(func(p *v1alpha1.TCPProbe) {
		p.Spec.Sources.Selector.MatchLabels = map[string]string{"pool": w.tenant}
	}), over(1))
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonNodeGone)
}
