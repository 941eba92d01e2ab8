package simulation

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// react is what the rest of the cluster does about a write: kubelets and the garbage collector.
func (s *simulation) react(before, after client.Object) {
	pod, isPod := after.(*corev1.Pod)
	old, _ := before.(*corev1.Pod)
	ours := isPod && pod.Namespace == probes
	switch {
	case ours && old == nil:
		s.all.Go(func() { s.collect(pod) })
		s.all.Go(func() { s.makeAnew(pod) })
	case ours && probepod.Gated(old) && !probepod.Gated(pod):
		s.all.Go(func() { s.kubelet(pod) })
	case ours && old.DeletionTimestamp == nil && pod.DeletionTimestamp != nil:
		s.all.Go(func() {
			s.sleep(exponential(s.random("end", string(pod.UID)), 3*time.Second))
			_ = s.server.remove(pod, pod.UID)
		})
	case after == nil && kindOf(before) == "ConfigMap":
		s.all.Go(func() { s.collectPodsOf(before) })
	}
}

// sleep ends with the simulation. It reports whether that goes on.
func (s *simulation) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// collect deletes a pod that was created after its plan was deleted.
func (s *simulation) collect(pod *corev1.Pod) {
	if !s.sleep(exponential(s.random("collect", string(pod.UID)), 5*time.Second)) {
		return
	}
	owner := metav1.GetControllerOf(pod)
	plan := s.server.get("ConfigMap", client.ObjectKey{Namespace: probes, Name: owner.Name})
	if plan == nil || plan.GetUID() != owner.UID {
		_ = s.server.remove(pod, pod.UID)
	}
}

// collectPodsOf deletes the pods of a plan that was deleted.
func (s *simulation) collectPodsOf(plan client.Object) {
	if !s.sleep(exponential(s.random("collect", string(plan.GetUID())), 5*time.Second)) {
		return
	}
	for _, o := range s.server.list("Pod") {
		if metav1.IsControlledBy(o, plan) {
			_ = s.server.remove(o, o.GetUID())
		}
	}
}

// fates are what may become of a pod besides a report, with the reason that users have to be given.
var fates = []struct {
	reason string
	starts bool
	status corev1.PodStatus
}{
	{v1alpha1.ReasonUnschedulable, false, corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}}}},
	{v1alpha1.ReasonImagePull, false, waiting("ErrImagePull")},
	{v1alpha1.ReasonStartTimeout, false, corev1.PodStatus{Phase: corev1.PodPending}},
	{v1alpha1.ReasonNodeRejected, false, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu"}},
	{v1alpha1.ReasonEvicted, true, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}},
	{v1alpha1.ReasonOutOfMemory, true, terminated("OOMKilled", 137, "")},
	{string(report.ProberKilled), true, terminated("Error", 137, "")},
	{v1alpha1.ReasonReportInvalid, true, terminated("Completed", 0, "no report")},
	{v1alpha1.ReasonReportMissing, true, terminated("Error", 2, "")},
}

func container(state corev1.ContainerState) []corev1.ContainerStatus {
	return []corev1.ContainerStatus{{Name: probepod.ContainerName, State: state}}
}

func waiting(reason string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending,
		ContainerStatuses: container(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}})}
}

func terminated(reason string, code int32, message string) corev1.PodStatus {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	return corev1.PodStatus{Phase: phase, ContainerStatuses: container(corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, Message: message}})}
}

// kubelet runs a pod whose gate was removed. It fails one in 15.
func (s *simulation) kubelet(pod *corev1.Pod) {
	random := s.random("kubelet", string(pod.UID))
	fate := random.IntN(15 * len(fates))
	node := pod.Annotations[runplan.AnnotationSource]
	begins, takes := exponential(random, time.Second), exponential(random, 8*time.Second)
	s.sleep(min(begins, 20*time.Second))
	fails := fate < len(fates)
	if fails {
		s.oracle.blame(pod.Labels[runplan.LabelRun], node, fates[fate].reason)
	}
	if fails && !fates[fate].starts {
		s.report(pod, node, fates[fate].status)
		return
	}
	s.report(pod, node, corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: container(corev1.ContainerState{
		Running: &corev1.ContainerStateRunning{}})})
	s.sleep(min(takes, 60*time.Second))
	if fails {
		s.report(pod, node, fates[fate].status)
		return
	}
	owner := client.ObjectKey{Namespace: probes, Name: metav1.GetControllerOf(pod).Name}
	configMap := find[corev1.ConfigMap](s.server, owner)
	if configMap == nil {
		return
	}
	p, err := plan.Decode([]byte(configMap.Data[runplan.KeyPlan]))
	s.must(err)
	s.report(pod, node, terminated("Completed", 0, string(controllertest.PassingSummary(p, node).Encode())))
}

// report writes the pod's status once the node is Ready.
func (s *simulation) report(pod *corev1.Pod, node string, status corev1.PodStatus) {
	for n := find[corev1.Node](s.server, client.ObjectKey{Name: node}); !ready(n); {
		if !s.sleep(exponential(s.random("node", string(pod.UID)), time.Second)) {
			return
		}
		n = find[corev1.Node](s.server, client.ObjectKey{Name: node})
	}
	if len(status.ContainerStatuses) == 1 {
		if t := status.ContainerStatuses[0].State.Terminated; t != nil {
			ended := *t
			ended.FinishedAt = metav1.NewTime(time.Now().Add(s.skews[node]).Truncate(time.Second))
			status.ContainerStatuses = container(corev1.ContainerState{Terminated: &ended})
		}
	}
	change(s.server, pod, func(p *corev1.Pod) bool { p.Status = status; return p.DeletionTimestamp == nil })
}

func ready(n *corev1.Node) bool { return n.Status.Conditions[0].Status == corev1.ConditionTrue }
