package probepod

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func containerState(s corev1.ContainerState) []corev1.ContainerStatus {
	return []corev1.ContainerStatus{{Name: ContainerName, State: s}}
}

func exitWith(code int32, reason, message string) func(*RunState, *corev1.Pod) {
	return func(_ *RunState, pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodFailed
		pod.Status.ContainerStatuses = containerState(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, Message: message}})
	}
}

func waitingFor(reason, message string) func(*RunState, *corev1.Pod) {
	return func(_ *RunState, pod *corev1.Pod) {
		pod.Status.ContainerStatuses = containerState(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: reason, Message: message}})
	}
}

func podEnds(reason, message string) func(*RunState, *corev1.Pod) {
	return func(_ *RunState, pod *corev1.Pod) {
		pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, reason, message
	}
}

func disruption(reason string) func(*RunState, *corev1.Pod) {
	return func(_ *RunState, pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget,
			Status: corev1.ConditionTrue, Reason: reason, Message: "because"})
	}
}

func unschedulable(_ *RunState, pod *corev1.Pod) {
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
		Reason: "Unschedulable", Message: "0/3 nodes are available"}}
}

func running(_ *RunState, pod *corev1.Pod) {
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = containerState(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
}

func gone(s *RunState, pod *corev1.Pod)     { delete(s.Pods, pod.Name) }
func replaced(_ *RunState, pod *corev1.Pod) { pod.UID = "another" }
func deleting(_ *RunState, pod *corev1.Pod) {
	pod.DeletionTimestamp = new(metav1.NewTime(controllertest.Noon))
}
func nodeDeleted(s *RunState, _ *corev1.Pod) { delete(s.Nodes, "kn1") }
func nodeDown(s *RunState, _ *corev1.Pod)    { s.Nodes["kn1"] = false }

const late = StartDeadline + time.Second

type changes []func(*RunState, *corev1.Pod)

// outcomeCases are all outcomes of a source, by what happened to its pod and node.
var outcomeCases = map[string]struct {
	age    time.Duration
	change changes
	state  State
	reason string
	says   string
}{
	"just released":     {0, nil, Starting, "", ""},
	"container is made": {0, changes{waitingFor("ContainerCreating", "")}, Starting, "", ""},
	"runs":              {late, changes{running}, Probing, "", ""},
	"runs past all deadlines": {10 * time.Minute, changes{running}, Lost, v1alpha1.ReasonReportMissing,
		"still runs, past every deadline"},
	"runs, node not ready": {10 * time.Minute, changes{running, nodeDown}, Lost, v1alpha1.ReasonNodeNotReady,
		"not Ready"},

	"no room":               {0, changes{unschedulable}, Starting, v1alpha1.ReasonUnschedulable, "0/3 nodes"},
	"no room, for too long": {late, changes{unschedulable}, Lost, v1alpha1.ReasonUnschedulable, "0/3 nodes"},
	"no image": {0, changes{waitingFor("ImagePullBackOff", "Back-off pulling")}, Starting,
		v1alpha1.ReasonImagePull, "ImagePullBackOff: Back-off pulling"},
	"no image, for too long": {late, changes{waitingFor("ErrImageNeverPull", "")}, Lost, v1alpha1.ReasonImagePull,
		"ErrImageNeverPull"},
	"not created": {late, changes{waitingFor("CreateContainerConfigError", "no configmap")}, Lost,
		v1alpha1.ReasonNotCreated, "no configmap"},
	"no reason given": {late, changes{waitingFor("ContainerCreating", "")}, Lost, v1alpha1.ReasonStartTimeout,
		"within 60 s"},
	"node deleted":   {late, changes{nodeDeleted, unschedulable}, Lost, v1alpha1.ReasonNodeGone, "deleted"},
	"node not ready": {late, changes{nodeDown}, Lost, v1alpha1.ReasonNodeNotReady, "not Ready"},

	"deleted":               {0, changes{gone}, Lost, v1alpha1.ReasonPodDeleted, "before its report was read"},
	"deleted with its node": {0, changes{gone, nodeDeleted}, Lost, v1alpha1.ReasonNodeGone, ""},
	"deleted by pod GC": {0, changes{running, podEnds("", ""), disruption("DeletionByPodGC"), nodeDeleted}, Lost,
		v1alpha1.ReasonNodeGone, ""},
	"another pod of that name": {0, changes{replaced, exitWith(0, "", "{}")}, Lost, v1alpha1.ReasonPodDeleted, ""},
	"being deleted":            {0, changes{deleting}, Lost, v1alpha1.ReasonPodDeleted, "before it ended"},
	"drained": {0, changes{deleting, disruption("EvictionByEvictionAPI")}, Lost, v1alpha1.ReasonEvicted,
		"EvictionByEvictionAPI: because"},
	"runs while deleted": {0, changes{running, deleting}, Probing, "", ""},

	"evicted": {0, changes{podEnds("Evicted", "The node was low on resource: memory.")}, Lost,
		v1alpha1.ReasonEvicted, "low on resource"},
	"preempted": {0, changes{exitWith(143, "Error", ""), disruption("PreemptionByScheduler")}, Lost,
		v1alpha1.ReasonEvicted, "PreemptionByScheduler"},
	"node shut down": {0, changes{podEnds("Terminated", "Pod was terminated in response to imminent node shutdown.")},
		Lost, v1alpha1.ReasonEvicted, "shutdown"},
	"not admitted": {0, changes{podEnds("OutOfcpu", "Node didn't have enough resource: cpu")}, Lost,
		v1alpha1.ReasonNodeRejected, "OutOfcpu: Node didn't"},
	"node affinity":    {0, changes{podEnds("NodeAffinity", "")}, Lost, v1alpha1.ReasonNodeRejected, "NodeAffinity"},
	"ended, no reason": {0, changes{podEnds("", "")}, Lost, v1alpha1.ReasonReportMissing, "Failed without a container"},
	"deadline, unrun": {0, changes{podEnds("DeadlineExceeded",
		"Pod was active on the node longer than the specified deadline")}, Lost, v1alpha1.ReasonStartTimeout, "longer than"},

	"out of memory": {0, changes{exitWith(137, "OOMKilled", "")}, Lost, v1alpha1.ReasonOutOfMemory,
		"up to 32 connections may be left at 2 targets"},
	"killed": {0, changes{exitWith(137, "Error", "")}, Lost, string(report.ProberKilled),
		"exit code 137; up to 32 connections"},
	"killed late": {0, changes{exitWith(1, "", ""), podEnds("DeadlineExceeded", "")}, Lost,
		string(report.ProberKilled), "DeadlineExceeded"},
	"could not start": {0, changes{exitWith(128, "StartError", "exec: no such file")}, Lost, v1alpha1.ReasonNotCreated,
		"no such file"},
	"no report": {0, changes{exitWith(0, "Completed", "")}, Lost, v1alpha1.ReasonReportMissing,
		"exit code 0 and no report"},
	"no plan": {0, changes{exitWith(2, "Error", string(report.Refusal("", "kn1", errExample).Encode()))}, Lost,
		string(report.ProberFault), "could not use its plan: example"},
	"nonsense": {0, changes{exitWith(0, "", "hello")}, Lost, v1alpha1.ReasonReportInvalid, "no whole document"},
	"too long": {0, changes{exitWith(0, "", strings.Repeat("x", 4096))}, Lost, v1alpha1.ReasonReportInvalid,
		"4096 bytes"},
	"another's report": {0, changes{reportOf("kn2", "question-asking")}, Lost, v1alpha1.ReasonReportInvalid,
		`source is "kn2"`},
	"yesterday's": {0, changes{reportOf("kn1", "question-before")}, Lost, v1alpha1.ReasonReportInvalid,
		`run is "question-before"`},
	"a good report":      {0, changes{passingReport}, Reported, "", ""},
	"good, then drained": {0, changes{passingReport, deleting}, Reported, "", ""},

	"given up before": {0, changes{withRecord(PodRecord{UID: "pod-uid", At: controllertest.Noon,
		Reason: v1alpha1.ReasonQuota, Message: "full"}), passingReport}, Lost, v1alpha1.ReasonQuota, "full"},
	"reported before, gone": {0, changes{keptReport, gone}, Reported, "", ""},
	"never made":            {late, changes{func(s *RunState, _ *corev1.Pod) { delete(s.Records, 0) }}, NoPod, "", ""},
	"made, not yet recorded": {0, changes{func(s *RunState, _ *corev1.Pod) { delete(s.Records, 0) }, passingReport},
		NoPod, "", ""},
}

func TestOutcomes(t *testing.T) {
	for name, c := range outcomeCases {
		t.Run(name, func(t *testing.T) {
			s, pod := exampleState(t, c.age)
			for _, change := range c.change {
				change(s, pod)
			}
			o := s.Outcomes()[0]
			if o.Source != "kn1" || o.State != c.state || o.Reason != c.reason || !strings.Contains(o.Message, c.says) {
				t.Errorf("%+v; want state %d, %q that says %q", o, c.state, c.reason, c.says)
			}
		})
	}
}

type exampleError struct{}

func (exampleError) Error() string { return "example" }

var errExample exampleError

func passingReport(s *RunState, pod *corev1.Pod) {
	pod.Status.Phase = corev1.PodSucceeded
	pod.Status.ContainerStatuses = containerState(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Message: string(controllertest.PassingSummary(&s.RunPlan.Plan, "kn1").Encode())}})
}

func keptReport(s *RunState, _ *corev1.Pod) {
	s.Records[0] = PodRecord{UID: "pod-uid", At: controllertest.Noon,
		Report: string(controllertest.PassingSummary(&s.RunPlan.Plan, "kn1").Encode())}
}

func withRecord(record PodRecord) func(*RunState, *corev1.Pod) {
	return func(s *RunState, _ *corev1.Pod) { s.Records[0] = record }
}

// reportOf ends the container with the valid report of another node or run.
func reportOf(node, run string) func(*RunState, *corev1.Pod) {
	return func(s *RunState, pod *corev1.Pod) {
		p := s.RunPlan.Plan
		p.Run = run
		p.Sources = map[string][]int{node: p.Sources["kn1"]}
		exitWith(0, "", string(controllertest.PassingSummary(&p, node).Encode()))(s, pod)
	}
}
