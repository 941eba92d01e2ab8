package schedule

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestClockSetBack: however far the clock is set back, a TCPProbe waits for one interval at most, then runs once, and
// has missed no run.
func TestClockSetBack(t *testing.T) {
	for _, by := range []time.Duration{time.Second, 299 * time.Second, 300 * time.Second, 301 * time.Second, time.Hour,
		24 * 365 * time.Hour} {
		p := recurring()
		slot := waitForSlot(p)
		TakeSlot(p, slot)
		now := slot.Add(-by)
		if Due(p, now) {
			t.Errorf("by %v: due at once", by)
		}
		UpdateNextRun(p, now)
		next := p.Status.NextRunTime.Time
		if wait := next.Sub(now); wait <= 0 || wait > 300*time.Second || p.Status.MissedRuns != 0 {
			t.Errorf("by %v: waits %v, %d missed", by, wait, p.Status.MissedRuns)
		}
		if Due(p, next.Add(-time.Nanosecond)) || !Due(p, next) {
			t.Errorf("by %v: not due when the wait is over, or before", by)
		}
		TakeSlot(p, next)
		after := metav1.NewTime(next.Add(300 * time.Second))
		if p.Status.MissedRuns != 0 || !p.Status.NextRunTime.Equal(&after) {
			t.Errorf("by %v: then %d missed, next at %v", by, p.Status.MissedRuns, p.Status.NextRunTime)
		}
	}
}

// TestRunsUncovered: a run with more than a tenth of its pairs undecided or missing counts as uncovered. After three in
// a row health is unknown.
func TestRunsUncovered(t *testing.T) {
	if UncoveredRuns != 3 {
		t.Errorf("health is unknown after %d runs", UncoveredRuns)
	}
	for _, c := range []struct{ planned, inconclusive, missing, uncovered int32 }{
		{20, 2, 0, 0}, {20, 3, 0, 1}, {9, 1, 0, 1}, {10, 1, 0, 0}, {9, 0, 1, 0}, {8, 0, 1, 1}, {19, 1, 1, 0}, {18, 1, 1, 1},
	} {
		p := recurring()
		p.Status.LastRun.Verdict = "Pass"
		p.Status.Pairs = &v1alpha1.PairCounts{Planned: c.planned, Inconclusive: c.inconclusive, Missing: c.missing}
		UpdateHealth(p, controllertest.Noon)
		if got := p.Status.Health.Uncovered; got != c.uncovered {
			t.Errorf("%+v: %d runs uncovered", c, got)
		}
	}
}

// TestAlarmByDefault: the first failing run sets Raised. A run that passes a minute after the last failure sets Clear.
func TestAlarmByDefault(t *testing.T) {
	p := recurring()
	p.Status.LastRun.Verdict = "Fail"
	UpdateHealth(p, controllertest.Noon)
	if p.Status.Health.State != v1alpha1.HealthRaised {
		t.Errorf("after one failing run: %s", p.Status.Health.State)
	}
	p.Status.LastRun.Verdict = "Pass"
	for _, c := range []struct {
		after time.Duration
		state string
	}{{60*time.Second - time.Nanosecond, v1alpha1.HealthRaised}, {60 * time.Second, v1alpha1.HealthClear}} {
		q := p.DeepCopy()
		UpdateHealth(q, controllertest.Noon.Add(c.after))
		if q.Status.Health.State != c.state {
			t.Errorf("a run that passes %v after the failure: %s; want %s", c.after, q.Status.Health.State, c.state)
		}
	}
}
