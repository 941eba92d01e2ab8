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

func stayPending(why []corev1.PodCondition, containers []corev1.ContainerStatus) podBehaviour {
	return withStatus(corev1.PodStatus{Phase: corev1.PodPending, Conditions: why, ContainerStatuses: containers})
}

func exitWith(code int32, reason string) podBehaviour {
	return func(nodes *fakeNodes, pod *corev1.Pod, _ *plan.Plan, _ string) error {
		pod.Status.Phase = corev1.PodFailed
		return nodes.terminate(pod, corev1.ContainerStateTerminated{ExitCode: code, Reason: reason})
	}
}

func deletePod(nodes *fakeNodes, pod *corev1.Pod, _ *plan.Plan, _ string) error {
	return nodes.api.Delete(nodes.Context(), pod, zeroGrace)
}

var unschedulable = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
	Reason: "Unschedulable", Message: "0/3 nodes are available: 1 Insufficient memory."}}

func waitingContainer(reason string) []corev1.ContainerStatus {
	return proberState(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason,
		Message: "as the kubelet says it"}})
}

// podFailures are what may happen to a pod, and the reason that it gets.
var podFailures = map[string]struct {
	does   podBehaviour
	reason string
	early  bool // shown while the run goes on
}{
	"no room":      {stayPending(unschedulable, nil), v1alpha1.ReasonUnschedulable, true},
	"no image":     {stayPending(nil, waitingContainer("ErrImagePull")), v1alpha1.ReasonImagePull, true},
	"not created":  {stayPending(nil, waitingContainer("CreateContainerError")), v1alpha1.ReasonNotCreated, true},
	"never starts": {stayPending(nil, waitingContainer("ContainerCreating")), v1alpha1.ReasonStartTimeout, false},
	"evicted": {withStatus(corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on memory"}),
		v1alpha1.ReasonEvicted, false},
	"not admitted": {withStatus(corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfmemory"}),
		v1alpha1.ReasonNodeRejected, false},
	"out of memory":    {exitWith(137, "OOMKilled"), v1alpha1.ReasonOutOfMemory, false},
	"killed":           {exitWith(137, "Error"), string(report.ProberKilled), false},
	"without a report": {exitWith(1, "Error"), v1alpha1.ReasonReportMissing, false},
	"deleted":          {deletePod, v1alpha1.ReasonPodDeleted, false},
}

// TestPodFailures: each failure gets its own reason in the end. Those that the cluster reports earlier are shown at
// once.
func TestPodFailures(t *testing.T) {
	for name, c := range podFailures {
		t.Run(name, func(t *testing.T) {
			env := newTestEnvWithPods(t)
			env.nodes.behaviour["kn2"] = c.does
			early := false
			done := env.runUntil(env.manager(env.api), env.probe(), func(p *v1alpha1.TCPProbe) bool {
				complete := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
				early = early || complete != nil && complete.Status == metav1.ConditionFalse && complete.Reason == c.reason &&
					strings.Contains(complete.Message, "kn2: "+c.reason)
				return runEnded(1)(p)
			})
			if early != c.early {
				t.Errorf("shown while the run went on: %t; want %t", early, c.early)
			}
			env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, c.reason)
			env.expect(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonPartly)
			if s := done.Status; s.LastRun.Reported != 2 || s.Pairs.Inconclusive != 2 || len(s.Findings) != 1 ||
				s.Findings[0].Source != "kn2" {
				t.Errorf("status %+v", s)
			}
			if n := env.nodes.requireOneRunEach(); n != 3 {
				t.Errorf("%d probers ran", n)
			}
			env.nodes.collectGarbage()
			for _, pod := range env.proberPods() {
				if !limits.Ended(&pod) {
					t.Errorf("pod %s may still start", pod.Name)
				}
			}
		})
	}
}

func TestQuota(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.quota(1)
	p := env.probe()
	r := env.manager(env.api)
	early := false
	done := env.runUntil(r, p, func(p *v1alpha1.TCPProbe) bool {
		c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
		early = early || c.Status == metav1.ConditionFalse && c.Reason == v1alpha1.ReasonQuota
		return runEnded(1)(p)
	})
	if !early {
		t.Error("the quota was not shown while the run waited for it")
	}
	env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonQuota)
	if done.Status.LastRun.Reported != 1 {
		t.Errorf("%d nodes reported; the quota lets one pod in", done.Status.LastRun.Reported)
	}
}

// quota limits the pods of the probe namespace. No controller counts them here, so the test sets what is used.
func (env *testEnv) quota(pods int64) {
	env.Helper()
	hard := corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(pods, resource.DecimalSI)}
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: env.probes, Name: "few"},
		Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	env.create(q)
	q.Status = corev1.ResourceQuotaStatus{Hard: hard,
		Used: corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(0, resource.DecimalSI)}}
	if err := env.api.Status().Update(env.Context(), q); err != nil {
		env.Fatal(err)
	}
}

func TestRefusedPods(t *testing.T) {
	env := newTestEnvWithPods(t)
	r := env.manager(env.api, func(c *Config) { c.Prober.PriorityClass = "no-such-class" })
	done := env.runUntil(r, env.probe(), runEnded(1))
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonPodRefused)
	if !strings.Contains(message, "no-such-class") || done.Status.LastRun.Reported != 0 {
		t.Errorf("message %q", message)
	}
	env.requireNothingLeft()
}

// ownNode makes a node that the label pool has for this test alone.
func (env *testEnv) ownNode(name, address string) *corev1.Node {
	env.Helper()
	node := controllertest.Node(name, address)
	node.Labels["pool"] = env.tenant
	made := node.DeepCopy()
	env.create(made)
	made.Status = node.Status
	if err := env.api.Status().Update(env.Context(), made); err != nil {
		env.Fatal(err)
	}
	env.Cleanup(func() { _ = env.api.Delete(context.Background(), node) })
	return node
}

func TestNodeDeletedDuringTheRun(t *testing.T) {
	env := newTestEnvWithPods(t)
	gone := env.ownNode("kn9", "192.168.7.9")
	env.nodes.behaviour["kn9"] = func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, n string) error {
		env.delete(gone)
		return deletePod(nodes, pod, p, n)
	}
	done := env.runUntil(env.manager(env.api), env.probe(func(p *v1alpha1.TCPProbe) {
		p.Spec.Sources.Selector.MatchLabels = map[string]string{"pool": env.tenant}
	}), runEnded(1))
	env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonNodeGone)
}
