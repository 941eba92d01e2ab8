package probepod

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// startFault is what keeps a pod from starting, with the cluster's reason and message. It has no Reason if nothing is
// wrong yet.
func startFault(pod *corev1.Pod) Outcome {
	if pod.DeletionTimestamp != nil {
		return disrupted(pod)
	}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil {
			if reason := waitingReason(w.Reason); reason != "" {
				return startFaultOf(reason, w.Reason, w.Message)
			}
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return startFaultOf(v1alpha1.ReasonUnschedulable, "", c.Message)
		}
	}
	if gates := pod.Spec.SchedulingGates; len(gates) > 0 && !Gated(pod) {
		return startFaultOf(v1alpha1.ReasonUnschedulable, "", fmt.Sprintf(
			"the scheduling gate %s, which is not the operator's, holds the pod; whoever set it has to remove it",
			gates[0].Name))
	}
	return Outcome{State: Starting}
}

func startFaultOf(reason, word, message string) Outcome {
	return Outcome{State: Starting, Reason: reason, Message: text.Sentence(word, message)}
}

// waitingReason maps the kubelet's reason for a waiting container to one of ours (kubelet/images/types.go,
// kubelet/container/sync_result.go, kuberuntime_container.go). It is "" for ContainerCreating and the like, which are
// no fault.
func waitingReason(word string) string {
	switch word {
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		return v1alpha1.ReasonImagePull
	}
	if strings.HasSuffix(word, "Error") || word == "ContainerCannotRun" {
		return v1alpha1.ReasonNotCreated
	}
	return ""
}

// podFault is why a pod ended although no container says how (core/v1, PodStatus.Reason).
func podFault(pod *corev1.Pod) Outcome {
	switch {
	case evicted(pod):
		return lost(v1alpha1.ReasonEvicted, "%s", text.Sentence(pod.Status.Reason, pod.Status.Message))
	case pod.Status.Reason == "DeadlineExceeded":
		return lost(v1alpha1.ReasonStartTimeout, "%s", text.Sentence(pod.Status.Reason, pod.Status.Message))
	case pod.Status.Reason == "":
		if o := disrupted(pod); o.Reason == v1alpha1.ReasonEvicted {
			return o
		}
		ended := fmt.Sprintf("its pod ended as %s without a container", pod.Status.Phase)
		return lost(v1alpha1.ReasonReportMissing, "%s", text.Sentence(ended, pod.Status.Message))
	}
	return lost(v1alpha1.ReasonNodeRejected, "%s", text.Sentence(pod.Status.Reason, pod.Status.Message))
}

// evicted reports that the kubelet ended the pod because it had to leave the node.
func evicted(pod *corev1.Pod) bool {
	switch pod.Status.Reason {
	case "Evicted", "Preempting", "Terminated": // Terminated: the node was shut down under the pod
		return true
	}
	return false
}

// endWithoutReport is why a container ended without a report.
func (s *RunState) endWithoutReport(pod *corev1.Pod, t *corev1.ContainerStateTerminated) Outcome {
	switch {
	case evicted(pod):
		return podFault(pod)
	case t.Reason == "OOMKilled":
		return lost(v1alpha1.ReasonOutOfMemory, "the prober's container hit its memory limit; %s", s.openConnections(pod))
	case neverRan(t):
		return lost(v1alpha1.ReasonNotCreated, "%s", text.Sentence(t.Reason, t.Message))
	}
	if o := disrupted(pod); o.Reason == v1alpha1.ReasonEvicted {
		return o
	}
	if t.ExitCode > 128 || t.Signal != 0 || pod.Status.Reason == "DeadlineExceeded" {
		return lost(string(report.ProberKilled), "%s; %s", text.Sentence(cmp.Or(pod.Status.Reason, t.Reason, "Killed"),
			fmt.Sprintf("exit code %d", t.ExitCode)), s.openConnections(pod))
	}
	return lost(v1alpha1.ReasonReportMissing, "the prober ended with exit code %d and no report; see the log of pod %s",
		t.ExitCode, pod.Name)
}

// neverRan reports that the runtime could not start the container. The message is then the runtime's, not the
// prober's.
func neverRan(t *corev1.ContainerStateTerminated) bool {
	return t.Reason == "ContainerCannotRun" || t.Reason == "StartError"
}

// openConnections says how many flows a killed container may have left at its targets. It runs one check at a time, so
// they are those of the largest check.
func (s *RunState) openConnections(pod *corev1.Pod) string {
	source, open := pod.Annotations[runplan.AnnotationSource], 0
	targets := s.RunPlan.Plan.Sources[source]
	for _, target := range targets {
		open += mostOpen(s.RunPlan, source, target)
	}
	return fmt.Sprintf("up to %d connections may be left at %d targets until these time them out", open, len(targets))
}

// mostOpen is how many connections the source may have with the target at a time.
func mostOpen(rp *runplan.RunPlan, source string, target int) (n int) {
	for i, s := range rp.Plan.Scenarios {
		if !rp.Plan.Asks(source, plan.Check{Scenario: i}, target) {
			continue
		}
		switch {
		case s.AcceptQueue != nil:
			n = max(n, s.AcceptQueue.MaxConnections)
		case s.IdleTimeout != nil:
			n = max(n, plan.IdleConnections)
		default:
			n = max(n, rp.Plan.Paths)
		}
	}
	return n
}

// disrupted is the outcome of a pod that is evicted (core/v1, pod condition DisruptionTarget) or deleted.
func disrupted(pod *corev1.Pod) Outcome {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return startFaultOf(v1alpha1.ReasonEvicted, c.Reason, c.Message).as(Lost)
		}
	}
	return lost(v1alpha1.ReasonPodDeleted, "its pod was deleted before it ended")
}

func (o Outcome) as(s State) Outcome {
	o.State = s
	return o
}
