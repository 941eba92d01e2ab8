package controllers

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// State is how far a source is.
type State int

const (
	Unmade   State = iota // no pod yet
	Starting              // a pod that does not run yet
	Probing               // a pod that runs
	Reported              // a report that is good
	Lost                  // no report, and none will come
)

// Outcome is what has become of one source.
type Outcome struct {
	Source  string
	State   State
	Reason  string // of Lost; of Starting what keeps it, if anything does
	Message string
	Summary report.Summary // of Reported
	Text    string         // of Reported: the summary as it came
}

func (o Outcome) settled() bool { return o.State == Reported || o.State == Lost }

// NodeReadiness has an entry for every node of the cluster: whether it is Ready.
type NodeReadiness map[string]bool

// Scene is one moment of a run: what is on record and what the cluster shows.
type Scene struct {
	Frozen   *Frozen
	Order    *corev1.ConfigMap
	Launches Launches
	Pods     map[string]*corev1.Pod // of the run, by name; a pod that is not in it does not exist
	Nodes    NodeReadiness
	Now      time.Time
	Resumed  bool // launches got a new time, see resume
}

// outcomes says of every source what has become of it, in the order of Frozen.Nodes.
func (s *Scene) outcomes() []Outcome {
	nodes := s.Frozen.Nodes()
	out := make([]Outcome, len(nodes))
	for i, node := range nodes {
		out[i] = s.outcome(i, node)
		out[i].Source = node
	}
	return out
}

func (s *Scene) outcome(i int, node string) Outcome {
	launch, launched := s.Launches[i]
	switch {
	case !launched:
		return Outcome{State: Unmade}
	case launch.Reason != "":
		return Outcome{State: Lost, Reason: launch.Reason, Message: launch.Message}
	}
	if launch.Report != "" {
		return s.read(launch.Report, node)
	}
	pod := s.Pods[podName(s.Order.Name, i)]
	if pod == nil || pod.UID != launch.UID {
		return s.vanished(node)
	}
	if o, over := s.ending(pod, node); over {
		return o
	}
	return s.living(pod, node, launch)
}

// unmade are the nodes whose pods are still to be made.
func (s *Scene) unmade() (nodes []string) {
	for i, node := range s.Frozen.Nodes() {
		if _, done := s.Launches[i]; !done {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func lost(reason, format string, args ...any) Outcome {
	return Outcome{State: Lost, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// vanished is the outcome of a released pod that is not there any more. It is never made again.
func (s *Scene) vanished(node string) Outcome {
	if o, dead := s.nodeFault(node); dead {
		return o
	}
	return lost(v1alpha1.ReasonPodDeleted, "its pod was deleted before its report was read")
}

func (s *Scene) nodeFault(node string) (Outcome, bool) {
	ready, exists := s.Nodes[node]
	switch {
	case !exists:
		return lost(v1alpha1.ReasonNodeGone, "the node was deleted"), true
	case !ready:
		return lost(v1alpha1.ReasonNodeNotReady, "the node is not Ready"), true
	}
	return Outcome{}, false
}

// ending is the outcome of a pod whose container has ended, or that never got one and never will.
func (s *Scene) ending(pod *corev1.Pod, node string) (Outcome, bool) {
	terminated := terminatedState(pod)
	if terminated == nil {
		if !ended(pod) {
			return Outcome{}, false
		}
		if o, dead := s.nodeFault(node); dead && pod.Status.Reason == "" { // not its kubelet's word: nobody waits for that
			return o, true
		}
		return podFault(pod), true
	}
	if terminated.Message == "" || neverRan(terminated) {
		return s.silentEnd(pod, terminated), true
	}
	return s.read(terminated.Message, node), true
}

// read is the outcome of a source that left this termination message, which nobody vouches for.
func (s *Scene) read(message, node string) Outcome {
	summary, err := report.DecodeSummary([]byte(message), &s.Frozen.Plan, node)
	switch {
	case errors.Is(err, report.ErrRefused):
		return lost(string(report.ProberFault), "%v", err)
	case err != nil:
		return lost(v1alpha1.ReasonReportInvalid, "%v; the log of its pod has the whole report", err)
	}
	return Outcome{State: Reported, Summary: summary, Text: message}
}

func terminatedState(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == containerName {
			return c.State.Terminated
		}
	}
	return nil
}

// living is the outcome so far of a pod that has not ended.
func (s *Scene) living(pod *corev1.Pod, node string, launch Launch) Outcome {
	age := s.Now.Sub(launch.At)
	if started(pod) {
		if age < podLifetime(s.Frozen)+2*grace {
			return Outcome{State: Probing}
		}
		if o, dead := s.nodeFault(node); dead {
			return o
		}
		return lost(v1alpha1.ReasonReportMissing, "its pod still runs %d s after its start, past every deadline", int(age.Seconds()))
	}
	o := obstacle(pod)
	if age < startDeadline && pod.DeletionTimestamp == nil {
		return o
	}
	if dead, yes := s.nodeFault(node); yes {
		return dead
	}
	if o.Reason == "" {
		o = lost(v1alpha1.ReasonStartTimeout, "its pod did not start within %d s, and the cluster does not say why", int(startDeadline.Seconds()))
	}
	o.State = Lost
	return o
}

func started(pod *corev1.Pod) bool {
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == containerName && c.State.Running != nil {
			return true
		}
	}
	return false
}

// resume gives pods that were recorded but not released before the manager started a start deadline of their own: it
// was not they who lost the time. So it does to those from later than now: the clock was set back.
func (s *Scene) resume(managerStarted time.Time) (changed bool) {
	for i, launch := range s.Launches {
		pod := s.Pods[podName(s.Order.Name, i)]
		waited := launch.At.Before(managerStarted) && pod != nil && pod.UID == launch.UID && gated(pod)
		if waited || launch.At.After(s.Now) {
			launch.At = s.Now
			s.Launches[i], changed = launch, true
		}
	}
	return changed
}
