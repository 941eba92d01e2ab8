package schedule

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// recurring is a TCPProbe that runs every five minutes and whose first run has ended.
func recurring(change ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	p := controllertest.IntervalProbe()
	p.Status.LastRun = &v1alpha1.LastRun{ID: RunID(p, 1), Number: 1}
	for _, c := range change {
		c(p)
	}
	return p
}

// waitForSlot sets the first slot after noon as p's next run, and returns it.
func waitForSlot(p *v1alpha1.TCPProbe) time.Time {
	UpdateNextRun(p, controllertest.Noon)
	return p.Status.NextRunTime.Time
}

func TestSlotsAreAnIntervalApartAndSpread(t *testing.T) {
	seen := map[time.Duration]bool{}
	for i := range 100 {
		p := recurring(func(p *v1alpha1.TCPProbe) { p.UID = types.UID(fmt.Sprintf("uid-%d", i)) })
		slot := slotAfter(p, controllertest.Noon)
		if wait := slot.Sub(controllertest.Noon); wait <= 0 || wait > 5*time.Minute || slot.Nanosecond() != 0 {
			t.Fatalf("the slot after noon is at %v", slot)
		}
		if again := slotAfter(p, slot); again.Sub(slot) != 5*time.Minute {
			t.Errorf("from %v to %v is no interval", slot, again)
		}
		if between := slotAfter(p, slot.Add(-time.Nanosecond)); !between.Equal(slot) {
			t.Errorf("just before %v the next is %v", slot, between)
		}
		seen[slot.Sub(controllertest.Noon)] = true
	}
	if len(seen) < 70 { // of 300 seconds, 85 are expected
		t.Errorf("100 TCPProbes share %d slots", len(seen))
	}
}

func TestSlotBefore1970(t *testing.T) {
	p := recurring()
	long := time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)
	if wait := slotAfter(p, long).Sub(long); wait <= 0 || wait > 5*time.Minute {
		t.Errorf("waits %v", wait)
	}
}

func TestRunIsDueAtItsSlot(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	if Due(p, slot.Add(-time.Millisecond)) || !Due(p, slot) {
		t.Error("due before its slot, or not at it")
	}
	if got := Trigger(p); got != v1alpha1.TriggerInterval {
		t.Errorf("triggered by %s", got)
	}
	TakeSlot(p, slot.Add(time.Second))
	if next := p.Status.NextRunTime.Time; !next.Equal(slot.Add(5*time.Minute)) || p.Status.MissedRuns != 0 {
		t.Errorf("next at %v, %d missed", next, p.Status.MissedRuns)
	}
	if Due(p, slot.Add(time.Second)) {
		t.Error("due twice for one slot")
	}
}

func TestOutageIsNotMadeUpFor(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	back := slot.Add(17 * time.Minute) // three slots have come since
	if !Due(p, back) {
		t.Fatal("not due after the outage")
	}
	TakeSlot(p, back)
	if s := p.Status; s.MissedRuns != 3 || !s.NextRunTime.Equal(new(metav1.NewTime(slot.Add(20*time.Minute)))) {
		t.Errorf("%d missed, next at %v", s.MissedRuns, s.NextRunTime)
	}
}

func TestSlotThatPassesDuringARunIsMissed(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	UpdateNextRun(p, slot.Add(time.Minute)) // as at the end of a run
	next := metav1.NewTime(slot.Add(5 * time.Minute))
	if s := p.Status; s.MissedRuns != 1 || !s.NextRunTime.Equal(&next) || Due(p, slot.Add(time.Minute)) {
		t.Errorf("%d missed, next at %v", s.MissedRuns, s.NextRunTime)
	}
}

func TestClockSetBackNeitherStopsNorRepeats(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	TakeSlot(p, slot)
	back := slot.Add(-time.Hour)
	if Due(p, back) {
		t.Error("due again because the clock was set back")
	}
	UpdateNextRun(p, back)
	if next := p.Status.NextRunTime.Time; next.Sub(back) > 5*time.Minute || p.Status.MissedRuns != 0 {
		t.Errorf("at %v the next run is at %v, %d missed", back, next, p.Status.MissedRuns)
	}
}

func TestAnotherIntervalHasOtherSlots(t *testing.T) {
	p := recurring()
	waitForSlot(p)
	p.Spec.Run.IntervalSeconds = new(int32(70))
	if !LastRunHasThisSpec(p) {
		t.Error("another interval changes the run ID")
	}
	UpdateNextRun(p, controllertest.Noon)
	if wait := p.Status.NextRunTime.Sub(controllertest.Noon); wait <= 0 || wait > 70*time.Second {
		t.Errorf("waits %v", wait)
	}
}

func TestSuspensionForgetsTheNextRun(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	p.Spec.State = v1alpha1.Suspended
	UpdateNextRun(p, controllertest.Noon)
	if p.Status.NextRunTime != nil || UntilNext(p, controllertest.Noon) != 0 {
		t.Error("a suspended TCPProbe waits for a run")
	}
	p.Spec.State = v1alpha1.Active
	later := slot.Add(time.Hour + time.Second)
	if Due(p, later) {
		t.Error("resuming catches up")
	}
	UpdateNextRun(p, later)
	if s := p.Status; s.MissedRuns != 0 || s.NextRunTime.Sub(later) > 5*time.Minute {
		t.Errorf("%d missed, next at %v", s.MissedRuns, s.NextRunTime)
	}
}

func TestOnceHasNoNextRun(t *testing.T) {
	p := recurring()
	waitForSlot(p)
	p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Once, DeadlineSeconds: 50}
	if !LastRunIsCurrent(p) || Due(p, controllertest.Noon.Add(time.Hour)) {
		t.Error("a run is due because it no longer recurs")
	}
	UpdateNextRun(p, controllertest.Noon)
	if p.Status.NextRunTime != nil {
		t.Errorf("next at %v", p.Status.NextRunTime)
	}
}

func TestAnnotationBetweenSlotsMovesNone(t *testing.T) {
	p := recurring()
	slot := waitForSlot(p)
	controllertest.WithRunAnnotation("now")(p)
	if !Due(p, controllertest.Noon) || Trigger(p) != v1alpha1.TriggerAnnotation {
		t.Errorf("due %t by %s", Due(p, controllertest.Noon), Trigger(p))
	}
	TakeSlot(p, controllertest.Noon)
	if next := p.Status.NextRunTime.Time; !next.Equal(slot) || p.Status.MissedRuns != 0 {
		t.Errorf("next at %v instead of %v", next, slot)
	}
}

func TestDefaultsOfHealth(t *testing.T) {
	p := recurring(func(p *v1alpha1.TCPProbe) { p.Spec.Health = &v1alpha1.Health{ClearAfterSeconds: new(int32(0))} })
	if RaiseAfter(p) != 1 || ClearAfter(p) != 0 {
		t.Errorf("raise after %d, clear after %v", RaiseAfter(p), ClearAfter(p))
	}
	p.Spec.Health = nil
	if RaiseAfter(p) != 1 || ClearAfter(p) != time.Minute {
		t.Errorf("raise after %d, clear after %v", RaiseAfter(p), ClearAfter(p))
	}
}
