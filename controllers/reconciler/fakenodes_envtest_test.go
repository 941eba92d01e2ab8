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

// fakeNodes does the work of the scheduler, the kubelets, the probers and the garbage collector.
type fakeNodes struct {
	*testEnv
	mu        sync.Mutex
	behaviour map[string]podBehaviour // by node; without an entry the prober passes
	runs      map[string]int          // how many probers have run, by "run node"
	started   map[types.UID]string    // pods that have run
}

// podBehaviour is what happens to a pod on one node. It sets the pod's status, or deletes the pod.
type podBehaviour func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error

func newFakeNodes(env *testEnv) *fakeNodes {
	return &fakeNodes{testEnv: env, behaviour: make(map[string]podBehaviour), runs: make(map[string]int),
		started: make(map[types.UID]string)}
}

// runPods runs every pod that is released and has not run yet.
func (nodes *fakeNodes) runPods() {
	nodes.Helper()
	for _, pod := range nodes.proberPods() {
		if err := nodes.runPod(&pod); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			nodes.Fatal(err)
		}
	}
	nodes.collectGarbage()
}

func (nodes *fakeNodes) runPod(pod *corev1.Pod) error {
	nodes.mu.Lock()
	defer nodes.mu.Unlock()
	if len(pod.Spec.SchedulingGates) > 0 || nodes.started[pod.UID] != "" || pod.DeletionTimestamp != nil {
		return nil
	}
	var configMap corev1.ConfigMap
	key := client.ObjectKey{Namespace: pod.Namespace, Name: pod.Spec.Volumes[0].ConfigMap.Name}
	if err := nodes.api.Get(nodes.Context(), key, &configMap); err != nil {
		return err
	}
	p, err := plan.Decode([]byte(configMap.Data[runplan.KeyPlan]))
	if err != nil {
		return err
	}
	node := pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].
		MatchFields[0].Values[0]
	nodes.started[pod.UID] = pod.Name
	nodes.runs[p.Run+" "+node]++
	if does := nodes.behaviour[node]; does != nil {
		return does(nodes, pod, p, node)
	}
	return nodes.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
}

// exit ends the prober's container with exit code 0 and this termination message.
func (nodes *fakeNodes) exit(pod *corev1.Pod, message string) error {
	pod.Status.Phase = corev1.PodSucceeded
	return nodes.terminate(pod, corev1.ContainerStateTerminated{Message: message, Reason: "Completed"})
}

func (nodes *fakeNodes) terminate(pod *corev1.Pod, t corev1.ContainerStateTerminated) error {
	t.FinishedAt = metav1.NewTime(nodes.clock.Now())
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: probepod.ContainerName,
		State: corev1.ContainerState{Terminated: &t}}}
	return nodes.api.Status().Update(nodes.Context(), pod)
}

// withStatus sets the pod's status.
func withStatus(s corev1.PodStatus) podBehaviour {
	return func(nodes *fakeNodes, pod *corev1.Pod, _ *plan.Plan, _ string) error {
		pod.Status = s
		return nodes.api.Status().Update(nodes.Context(), pod)
	}
}

// withMessage ends the container with a message made from the summary of a prober for which every check passed.
func withMessage(message func(s report.Summary) []byte) podBehaviour {
	return func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
		return nodes.exit(pod, string(message(controllertest.PassingSummary(p, node))))
	}
}

// exitWithPass ends a prober that was kept running. Every check has passed.
func (nodes *fakeNodes) exitWithPass(pod *corev1.Pod, configMap corev1.ConfigMap, node string) error {
	p, err := plan.Decode([]byte(configMap.Data[runplan.KeyPlan]))
	if err != nil {
		return err
	}
	return nodes.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
}

// withFailure ends the container with a report in which the checks of this type fail for this reason.
func withFailure(check string, reason report.Reason) podBehaviour {
	return func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
		r := controllertest.Passing(p, node)
		for i := range r.Results {
			if res := &r.Results[i]; res.Scenario == check {
				res.Verdict, res.Reason, res.Message = report.Fail, reason, string(reason)+" as the prober says it"
				res.Flows, res.Alpha = report.Flows{Tried: 16, Fail: 16}, 1e-7
				res.Evidence = lines.FromTexts("+0.000000 > S seq 4294967292")
			}
		}
		return nodes.exit(pod, string(report.Summarize(r, p).Encode()))
	}
}

// neverStart leaves the pod as it is.
func neverStart(*fakeNodes, *corev1.Pod, *plan.Plan, string) error { return nil }

// collectGarbage is the garbage collector: it deletes pods whose owner is gone. There is no kubelet that could delay a
// deletion.
func (nodes *fakeNodes) collectGarbage() {
	nodes.Helper()
	there := make(map[types.UID]bool)
	for _, configMap := range nodes.plans() {
		there[configMap.UID] = true
	}
	for _, pod := range nodes.proberPods() {
		if owner := metav1.GetControllerOf(&pod); owner != nil && !there[owner.UID] || pod.DeletionTimestamp != nil {
			nodes.delete(&pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
		}
	}
}

// requireOneRunEach fails the test if a prober ran twice in a run. It reports how many ran.
func (nodes *fakeNodes) requireOneRunEach() int {
	nodes.Helper()
	nodes.mu.Lock()
	defer nodes.mu.Unlock()
	for what, n := range nodes.runs {
		if n != 1 {
			nodes.Errorf("%s: %d probers ran", what, n)
		}
	}
	return len(nodes.runs)
}

// proberState is the state of a prober's container.
func proberState(s corev1.ContainerState) []corev1.ContainerStatus {
	return []corev1.ContainerStatus{{Name: probepod.ContainerName, State: s}}
}
