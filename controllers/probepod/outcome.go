package probepod

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// State is how far a source is.
type State int

// States of a source, in the order in which it goes through them. Reported and Lost are final.
const (
	NoPod    State = iota // no pod yet
	Starting              // a pod that does not run yet
	Probing               // a pod that runs
	Reported              // a valid report
	Lost                  // no report, and none will come
)

// Outcome is what has become of one source.
type Outcome struct {
	Source  string
	State   State
	Reason  string // why it is Lost, or what keeps the pod from Starting
	Message string
	Summary report.Summary // of Reported
	Text    string         // of Reported: the termination message
}

// Final reports that the outcome will not change any more.
func (o Outcome) Final() bool { return o.State == Reported || o.State == Lost }

// Outcomes says of every source what has become of it, in the order of RunPlan.Nodes.
func (s *RunState) Outcomes() []Outcome {
	nodes := s.RunPlan.Nodes()
	out := make([]Outcome, len(nodes))
	for i, node := range nodes {
		out[i] = s.outcome(i, node)
		out[i].Source = node
	}
	return out
}

func (s *RunState) outcome(i int, node string) Outcome {
	record, recorded := s.Records[i]
	switch {
	case !recorded:
		return Outcome{State: NoPod}
	case record.Reason != "":
		return Outcome{State: Lost, Reason: record.Reason, Message: record.Message}
	}
	if record.Report != "" {
		return s.read(record.Report, node)
	}
	pod := s.Pods[runplan.PodName(s.ConfigMap.Name, i)]
	if pod == nil || pod.UID != record.UID {
		return s.podGone(node)
	}
	if o, over := s.ended(pod, node); over {
		return o
	}
	return s.unfinished(pod, node)
}

func lost(reason, format string, args ...any) Outcome {
	return Outcome{State: Lost, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// podGone is the outcome of a released pod that no longer exists. It is never created again.
func (s *RunState) podGone(node string) Outcome {
	if o, dead := s.NodeFault(node); dead {
		return o
	}
	return lost(v1alpha1.ReasonPodDeleted, "its pod was deleted before its report was read")
}

// NodeFault is the outcome of a source whose node is gone or not Ready.
func (s *RunState) NodeFault(node string) (Outcome, bool) {
	ready, exists := s.Nodes[node]
	switch {
	case !exists:
		return lost(v1alpha1.ReasonNodeGone, "the node was deleted"), true
	case !ready:
		return lost(v1alpha1.ReasonNodeNotReady, "the node is not Ready"), true
	}
	return Outcome{}, false
}

// ended is the outcome of a pod whose container has ended, or that never got one and never will.
func (s *RunState) ended(pod *corev1.Pod, node string) (Outcome, bool) {
	terminated := TerminatedState(pod)
	if terminated == nil {
		if !limits.Ended(pod) {
			return Outcome{}, false
		}
		if o, dead := s.NodeFault(node); dead && pod.Status.Reason == "" { // its kubelet will give no reason
			return o, true
		}
		return podFault(pod), true
	}
	if terminated.Message == "" || neverRan(terminated) {
		return s.endWithoutReport(pod, terminated), true
	}
	return s.read(terminated.Message, node), true
}

// read is the outcome of a source with this termination message. The message is not trusted: DecodeSummary checks it
// against the plan.
func (s *RunState) read(message, node string) Outcome {
	summary, err := report.DecodeSummary([]byte(message), &s.RunPlan.Plan, node)
	switch {
	case errors.Is(err, report.ErrRefused):
		return lost(string(report.ProberFault), "%v", err)
	case err != nil:
		return lost(v1alpha1.ReasonReportInvalid, "%v; the log of its pod has the whole report", err)
	}
	return Outcome{State: Reported, Summary: summary, Text: message}
}

// TerminatedState is how the prober's container ended. It is nil if the container has not ended.
func TerminatedState(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == ContainerName {
			return c.State.Terminated
		}
	}
	return nil
}

// unfinished is the outcome so far of a pod that has not ended.
func (s *RunState) unfinished(pod *corev1.Pod, node string) Outcome {
	age := s.age(pod.UID)
	if started(pod) {
		if age < podLifetime(s.RunPlan)+2*grace {
			return Outcome{State: Probing}
		}
		if o, dead := s.NodeFault(node); dead {
			return o
		}
		return lost(v1alpha1.ReasonReportMissing, "its pod still runs, past every deadline")
	}
	o := startFault(pod)
	if age < StartDeadline && pod.DeletionTimestamp == nil {
		return o
	}
	if dead, yes := s.NodeFault(node); yes {
		return dead
	}
	if o.Reason == "" {
		o = lost(v1alpha1.ReasonStartTimeout, "its pod did not start within %d s, and the cluster does not say why",
			int(StartDeadline.Seconds()))
	}
	o.State = Lost
	return o
}

func started(pod *corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == ContainerName && c.State.Running != nil {
			return true
		}
	}
	return false
}
