package probepod

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestHowLongAPodMayLive: by the kubelet's clock a minute to start, the run's 50 s, and 15 s; and 10 s to end in order.
func TestHowLongAPodMayLive(t *testing.T) {
	_, pod := exampleState(t, 0)
	if got := *pod.Spec.ActiveDeadlineSeconds; got != 60+50+15 {
		t.Errorf("the kubelet ends it after %d s", got)
	}
	if got := *pod.Spec.TerminationGracePeriodSeconds; got != 10 {
		t.Errorf("it has %d s to end", got)
	}
}

// TestHowLongAPodIsWaitedFor: a minute for its start, and 20 s beyond the kubelet's deadline for its end.
func TestHowLongAPodIsWaitedFor(t *testing.T) {
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

// TestClockSetBackWhileAPodStarts: its start deadline begins anew, and does not wait for the clock to come to where it
// was.
func TestClockSetBackWhileAPodStarts(t *testing.T) {
	s, _ := exampleState(t, -time.Hour)
	managerStarted := controllertest.Noon.Add(-2 * time.Hour)
	if !s.Resume(managerStarted) || !s.Records[0].At.Equal(controllertest.Noon.Add(-time.Hour)) {
		t.Errorf("released at %v", s.Records[0].At)
	}
	if s.Resume(managerStarted) {
		t.Error("and again")
	}
}

// TestWhatAProberMayTake: of a node that carries what people pay for.
func TestWhatAProberMayTake(t *testing.T) {
	_, pod := exampleState(t, 0)
	r := pod.Spec.Containers[0].Resources
	if r.Requests.Cpu().String() != "10m" || r.Requests.Memory().String() != "32Mi" ||
		r.Limits.Memory().String() != "128Mi" || len(r.Limits) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestReportsOnRecord: 80 KiB of them, and what does not fit stays in the pods' status alone.
func TestReportsOnRecord(t *testing.T) {
	half := strings.Repeat("x", 40*1024)
	for last, kept := range map[string]bool{half: true, half + "x": false} {
		l := PodRecords{0: {UID: "a"}, 1: {UID: "b"}}
		l.Keep([]Outcome{{State: Reported, Text: half}, {State: Reported, Text: last}})
		if got := l[1].Report != ""; got != kept || l[0].Report == "" {
			t.Errorf("a report of %d bytes behind one of 40 KiB: kept %t; want %t", len(last), got, kept)
		}
	}
}

// TestMessagesOnRecord: 50 KiB of them, shared among the run's sources, and never more than a finding's.
func TestMessagesOnRecord(t *testing.T) {
	for sources, want := range map[int]int{1: v1alpha1.MaxFindingMessage, 128: 400, 256: 200, 1024: 50} {
		l := PodRecords{0: {UID: "a"}}
		outcomes := make([]Outcome, sources)
		outcomes[0] = Outcome{State: Lost, Reason: "Reason", Message: strings.Repeat("x", 1000)}
		l.Keep(outcomes)
		if got := len(l[0].Message); got != want {
			t.Errorf("of %d sources one keeps %d bytes; want %d", sources, got, want)
		}
	}
}
