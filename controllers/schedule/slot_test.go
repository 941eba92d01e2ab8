package schedule

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestEverySlotThatPassesIsCounted: the slot that was due, and the two after it.
func TestEverySlotThatPassesIsCounted(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	UpdateNextRun(p, slot.Add(2*300*time.Second))
	if p.Status.MissedRuns != 3 {
		t.Errorf("%d missed; want 3", p.Status.MissedRuns)
	}
}

// TestSlotInARunThatWasAskedForIsNotMissed: the first run of a TCPProbe, or one by annotation, may last past a slot.
func TestSlotInARunThatWasAskedForIsNotMissed(t *testing.T) {
	for trigger, missed := range map[string]int64{v1alpha1.TriggerSpec: 1, v1alpha1.TriggerAnnotation: 1,
		v1alpha1.TriggerInterval: 2} {
		p := recurring()
		slot := waitForSlot(p)
		p.Status.LastRun.Trigger = trigger
		p.Status.LastRun.StartTime = metav1.NewTime(slot.Add(-time.Second))
		p.Status.LastRun.CompletionTime = metav1.NewTime(slot.Add(time.Second))
		UpdateNextRun(p, slot.Add(301*time.Second)) // two slots have passed, one of them after the run
		if p.Status.MissedRuns != missed {
			t.Errorf("%s: %d missed; want %d", trigger, p.Status.MissedRuns, missed)
		}
	}
}

// TestRunBeforeItsSlot: the first run, or one by annotation, uses up no slot.
func TestRunBeforeItsSlot(t *testing.T) {
	p := recurring()
	TakeSlot(p, controllertest.Noon)
	want := slotAfter(p, controllertest.Noon)
	if next := p.Status.NextRunTime; next == nil || !next.Time.Equal(want) || p.Status.MissedRuns != 0 {
		t.Errorf("next at %v, %d missed; want %v", next, p.Status.MissedRuns, want)
	}
	TakeSlot(p, controllertest.Noon)
	if next := p.Status.NextRunTime; !next.Time.Equal(want) || p.Status.MissedRuns != 0 {
		t.Errorf("a run by annotation takes the slot that has not come: next at %v", next)
	}
}

func TestUntilNext(t *testing.T) {
	p := recurring()
	if got := UntilNext(p, controllertest.Noon); got != 0 {
		t.Errorf("waits %v for no slot", got)
	}
	slot := waitForSlot(p)
	for ahead, want := range map[time.Duration]time.Duration{
		90 * time.Second: 90 * time.Second, 0: time.Millisecond, -time.Second: time.Millisecond,
	} {
		if got := UntilNext(p, slot.Add(-ahead)); got != want {
			t.Errorf("%v ahead of the slot: waits %v; want %v", ahead, got, want)
		}
	}
}

// TestInterval: both mode Interval and an interval are needed.
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		mode    v1alpha1.Mode
		seconds *int32
		want    time.Duration
	}{
		{v1alpha1.Interval, new(int32(300)), 300 * time.Second}, {v1alpha1.Interval, nil, 0},
		{v1alpha1.Once, new(int32(300)), 0}, {v1alpha1.Once, nil, 0},
	} {
		p := controllertest.Probe()
		p.Spec.Run.Mode, p.Spec.Run.IntervalSeconds = c.mode, c.seconds
		if got := Interval(p); got != c.want {
			t.Errorf("%s: %v; want %v", c.mode, got, c.want)
		}
	}
}

// TestSlotsStay: all versions of the manager have to compute the same slots for a UID.
func TestSlotsStay(t *testing.T) {
	if got := sincePhase(recurring(), time.Unix(0, 0)); got != 133*time.Second {
		t.Errorf("the last slot was %v before 1970", got)
	}
}
