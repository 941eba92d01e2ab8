package probepod

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestPodDeadlines: the kubelet ends a pod after a minute to start, the run's 50 s, and 15 s. The prober has 10 s to
// end its flows.
func TestPodDeadlines(t *testing.T) {
	_, pod := exampleState(t, 0)
	if got := *pod.Spec.ActiveDeadlineSeconds; got != 60+50+15 {
		t.Errorf("the kubelet ends it after %d s", got)
	}
	if got := *pod.Spec.TerminationGracePeriodSeconds; got != 10 {
		t.Errorf("it has %d s to end", got)
	}
}

// TestStartAndEndDeadlines: the manager waits a minute for a pod to start, and 20 s beyond the kubelet's deadline for
// its end.
func TestStartAndEndDeadlines(t *testing.T) {
	for _, c := range []struct {
		age    time.Duration
		change func(*RunState, *corev1.Pod)
		state  State
	}{
		{60*time.Second - time.Nanosecond, unschedulable, Starting},
		{60 * time.Second, unschedulable, Lost},
		{145*time.Second - time.Nanosecond, running, Probing},
		{145 * time.Second, running, Lost},
	} {
		s, pod := exampleState(t, c.age)
		c.change(s, pod)
		if got := s.Outcomes()[0]; got.State != c.state {
			t.Errorf("after %v: %+v; want state %d", c.age, got, c.state)
		}
	}
}

// TestProberResources pins what a prober requests and may use on a node that runs other workloads.
func TestProberResources(t *testing.T) {
	_, pod := exampleState(t, 0)
	r := pod.Spec.Containers[0].Resources
	if r.Requests.Cpu().String() != "10m" || r.Requests.Memory().String() != "32Mi" ||
		r.Limits.Memory().String() != "128Mi" || len(r.Limits) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestReportsOnRecord: the record has 80 KiB for reports. A report that does not fit stays in the pod's status alone.
func TestReportsOnRecord(t *testing.T) {
	half := strings.Repeat("x", 40*1024)
	for last, kept := range map[string]bool{half: true, half + "x": false} {
		records := PodRecords{0: {UID: "a"}, 1: {UID: "b"}}
		records.Keep([]Outcome{{State: Reported, Text: half}, {State: Reported, Text: last}})
		if got := records[1].Report != ""; got != kept || records[0].Report == "" {
			t.Errorf("a report of %d bytes behind one of 40 KiB: kept %t; want %t", len(last), got, kept)
		}
	}
}

// TestMessagesOnRecord: 50 KiB for messages are shared among the run's sources. No message is longer than a finding's.
func TestMessagesOnRecord(t *testing.T) {
	for sources, want := range map[int]int{1: v1alpha1.MaxFindingMessage, 128: 400, 256: 200, 1024: 50} {
		records := PodRecords{0: {UID: "a"}}
		outcomes := make([]Outcome, sources)
		outcomes[0] = Outcome{State: Lost, Reason: "Reason", Message: strings.Repeat("x", 1000)}
		records.Keep(outcomes)
		if got := len(records[0].Message); got != want {
			t.Errorf("of %d sources one keeps %d bytes; want %d", sources, got, want)
		}
	}
}
