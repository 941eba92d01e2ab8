package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestRetries: a run that cannot start is tried again after a quarter of the time that it has been waiting, but after a second at the
// soonest and a minute at the latest.
func TestRetries(t *testing.T) {
	for waiting, want := range map[time.Duration]time.Duration{
		-time.Hour:                        time.Second, // the clock was set back
		0:                                 time.Second,
		4 * time.Second:                   time.Second,
		4*time.Second + 4*time.Nanosecond: time.Second + time.Nanosecond,
		40 * time.Second:                  10 * time.Second,
		4*time.Minute - 4*time.Nanosecond: time.Minute - time.Nanosecond,
		4 * time.Minute:                   time.Minute,
		24 * time.Hour:                    time.Minute,
	} {
		if got := retryAfter(waiting); got != want {
			t.Errorf("after %v it is tried again in %v; want %v", waiting, got, want)
		}
	}
}

// TestClockSetBack: however far, a TCPProbe waits for one interval at most, runs once when that is over, and has missed nothing.
func TestClockSetBack(t *testing.T) {
	for _, by := range []time.Duration{time.Second, 299 * time.Second, 300 * time.Second, 301 * time.Second, time.Hour, 24 * 365 * time.Hour} {
		p := recurring()
		slot := waiting(p)
		takeSlot(p, slot)
		now := slot.Add(-by)
		if due(p, now) {
			t.Errorf("by %v: due at once", by)
		}
		keepTime(p, now)
		next := p.Status.NextRunTime.Time
		if wait := next.Sub(now); wait <= 0 || wait > 300*time.Second || p.Status.MissedRuns != 0 {
			t.Errorf("by %v: waits %v, %d missed", by, wait, p.Status.MissedRuns)
		}
		if due(p, next.Add(-time.Nanosecond)) || !due(p, next) {
			t.Errorf("by %v: not due when the wait is over, or before", by)
		}
		takeSlot(p, next)
		if p.Status.MissedRuns != 0 || !p.Status.NextRunTime.Equal(ptr.To(metav1.NewTime(next.Add(300*time.Second)))) {
			t.Errorf("by %v: then %d missed, next at %v", by, p.Status.MissedRuns, p.Status.NextRunTime)
		}
	}
}

// TestClockSetBackWhileAPodStarts: its start deadline begins anew, and does not wait for the clock to come to where it was.
func TestClockSetBackWhileAPodStarts(t *testing.T) {
	s, _ := exampleScene(t, -time.Hour)
	if !s.resume(noon.Add(-2*time.Hour)) || !s.Launches[0].At.Equal(noon.Add(-time.Hour)) {
		t.Errorf("released at %v", s.Launches[0].At)
	}
	if s.resume(noon.Add(-2 * time.Hour)) {
		t.Error("and again")
	}
}

// TestLossOfCoverage: the third run in a row with more than a tenth of the pairs undecided makes health unknown.
func TestLossOfCoverage(t *testing.T) {
	for _, c := range []struct {
		uncovered int32
		lost      bool
	}{{2, false}, {3, true}} {
		p := recurring()
		p.Status.LastRun.Verdict = "Pass"
		p.Status.Health = &v1alpha1.HealthRecord{State: v1alpha1.HealthClear, Uncovered: c.uncovered}
		got := recurringHealth(p, metav1.Condition{Type: v1alpha1.ConditionPathHealthy, Status: metav1.ConditionTrue, Reason: "AllPassed"})
		if lost := got.Reason == v1alpha1.ReasonCoverageLost; lost != c.lost {
			t.Errorf("after %d runs: %s", c.uncovered, got.Reason)
		}
	}
	for _, c := range []struct{ planned, inconclusive, uncovered int32 }{{20, 2, 0}, {20, 3, 1}, {9, 1, 1}, {10, 1, 0}} {
		p := recurring()
		p.Status.LastRun.Verdict = "Pass"
		p.Status.Pairs = &v1alpha1.PairCounts{Planned: c.planned, Inconclusive: c.inconclusive}
		weigh(p, noon)
		if got := p.Status.Health.Uncovered; got != c.uncovered {
			t.Errorf("%d of %d pairs undecided: %d runs uncovered; want %d", c.inconclusive, c.planned, got, c.uncovered)
		}
	}
}

// TestAlarmByDefault: the first failing run raises it; a run that passes a minute after the last failure clears it.
func TestAlarmByDefault(t *testing.T) {
	p := recurring()
	p.Status.LastRun.Verdict = "Fail"
	weigh(p, noon)
	if p.Status.Health.State != v1alpha1.HealthRaised {
		t.Errorf("after one failing run: %s", p.Status.Health.State)
	}
	p.Status.LastRun.Verdict = "Pass"
	for _, c := range []struct {
		after time.Duration
		state string
	}{{60*time.Second - time.Nanosecond, v1alpha1.HealthRaised}, {60 * time.Second, v1alpha1.HealthClear}} {
		q := p.DeepCopy()
		weigh(q, noon.Add(c.after))
		if q.Status.Health.State != c.state {
			t.Errorf("a run that passes %v after the failure: %s; want %s", c.after, q.Status.Health.State, c.state)
		}
	}
}
