//go:build envtest

package reconciler

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	lines "github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// cast plays the scheduler, the kubelets, the probers and the garbage collector.
type cast struct {
	*world
	mu      sync.Mutex
	acts    map[string]act       // by node; missing: passes
	runs    map[string]int       // how often a prober of this run has run on this node, by "run node"
	started map[types.UID]string // pods that have run
}

// act is what becomes of a pod on one node. It sets the pod's status, or deletes it.
type act func(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error

func newCast(w *world) *cast {
	return &cast{world: w, acts: make(map[string]act), runs: make(map[string]int), started: make(map[types.UID]string)}
}

// act runs every pod that may run and has not yet.
func (c *cast) act() {
	c.Helper()
	for _, pod := range c.proberPods() {
		if err := c.run(&pod); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			c.Fatal(err)
		}
	}
	c.collect()
}

func (c *cast) run(pod *corev1.Pod) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if probepod.Gated(pod) || c.started[pod.UID] != "" || pod.DeletionTimestamp != nil {
		return nil
	}
	var configMap corev1.ConfigMap
	if err := c.api.Get(c.Context(), client.ObjectKey{Namespace: pod.Namespace, Name: pod.Spec.Volumes[0].ConfigMap.Name},
		&configMap); err != nil {
		return err
	}
	p, err := plan.Decode([]byte(configMap.Data[runplan.KeyPlan]))
	if err != nil {
		return err
	}
	node := pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].
		MatchFields[0].Values[0]
	c.started[pod.UID] = pod.Name
	c.runs[p.Run+" "+node]++
	if does := c.acts[node]; does != nil {
		return does(c, pod, p, node)
	}
	return c.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
}

// exit ends the prober's container well, with this termination message.
func (c *cast) exit(pod *corev1.Pod, message string) error {
	pod.Status.Phase = corev1.PodSucceeded
	return c.terminate(pod, corev1.ContainerStateTerminated{Message: message, Reason: "Completed"})
}

func (c *cast) terminate(pod *corev1.Pod, t corev1.ContainerStateTerminated) error {
	t.FinishedAt = metav1.NewTime(c.clock.Now())
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: probepod.ContainerName,
		State: corev1.ContainerState{Terminated: &t}}}
	return c.api.Status().Update(c.Context(), pod)
}

// hasStatus writes a status into the pod.
func hasStatus(s corev1.PodStatus) act {
	return func(c *cast, pod *corev1.Pod, _ *plan.Plan, _ string) error {
		pod.Status = s
		return c.api.Status().Update(c.Context(), pod)
	}
}

// says ends the container with what message makes of the honest summary.
func says(message func(s report.Summary) []byte) act {
	return func(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
		return c.exit(pod, string(message(controllertest.PassingSummary(p, node))))
	}
}

// exitHonestly ends a prober that was kept running.
func (c *cast) exitHonestly(pod *corev1.Pod, configMap corev1.ConfigMap, node string) error {
	p, err := plan.Decode([]byte(configMap.Data[runplan.KeyPlan]))
	if err != nil {
		return err
	}
	return c.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
}

// finds ends the container with a report in which the checks of the type fail for this reason.
func finds(check string, reason report.Reason) act {
	return func(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
		r := controllertest.Passing(p, node)
		for i := range r.Results {
			if res := &r.Results[i]; res.Scenario == check {
				res.Verdict, res.Reason, res.Message = report.Fail, reason, string(reason)+" as the prober says it"
				res.Flows, res.Alpha = report.Flows{Tried: 16, Fail: 16}, 1e-7
				res.Evidence = lines.FromTexts("+0.000000 > S seq 4294967292")
			}
		}
		return c.exit(pod, string(report.Summarize(r, p).Encode()))
	}
}

// collect is the garbage collector: pods whose owner is gone go. Without a kubelet, nothing delays the deletion.
func (c *cast) collect() {
	c.Helper()
	there := make(map[types.UID]bool)
	for _, o := range c.plans() {
		there[o.UID] = true
	}
	for _, pod := range c.proberPods() {
		if owner := metav1.GetControllerOf(&pod); owner != nil && !there[owner.UID] || pod.DeletionTimestamp != nil {
			c.delete(&pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
		}
	}
}

// once demands that every prober of every run ran at most once, and reports how many ran.
func (c *cast) once() int {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for what, n := range c.runs {
		if n != 1 {
			c.Errorf("%s: %d probers ran", what, n)
		}
	}
	return len(c.runs)
}

// proberState is the state of a prober's container.
func proberState(s corev1.ContainerState) []corev1.ContainerStatus {
	return []corev1.ContainerStatus{{Name: probepod.ContainerName, State: s}}
}
