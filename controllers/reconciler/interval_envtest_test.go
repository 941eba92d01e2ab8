//go:build envtest

package reconciler

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// everyMinute is a TCPProbe that recurs until the test ends: another test's manager must not go on with it.
func (w *world) everyMinute(edit ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	w.Helper()
	p := w.probe(append(edit, func(p *v1alpha1.TCPProbe) {
		p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Interval, IntervalSeconds: new(int32(60)), DeadlineSeconds: 50}
	})...)
	w.Cleanup(func() {
		if err := w.api.Delete(context.Background(), p); err != nil {
			w.Error(err)
		}
	})
	return p
}

func TestRunsRecur(t *testing.T) {
	w := furnished(t)
	p := w.everyMinute()
	r := w.manager(w.api)
	first := w.drive(r, p, over(1))
	missed := first.Status.MissedRuns // its first slot may have come meanwhile
	if first.Status.LastRun.Trigger != v1alpha1.TriggerSpec || first.Status.NextRunTime == nil {
		t.Fatalf("after the first run: %+v", first.Status)
	}
	for number := int64(2); number <= 4; number++ {
		slot := w.get(p).Status.NextRunTime.Time
		done := w.drive(r, p, over(number))
		s := done.Status
		if s.LastRun.Trigger != v1alpha1.TriggerInterval || s.LastRun.StartTime.Time.Before(slot) ||
			s.LastRun.StartTime.Sub(slot) > 2*time.Second {
			t.Errorf("run %d, due at %v: %+v", number, slot, s.LastRun)
		}
		if !s.NextRunTime.Equal(new(metav1.NewTime(slot.Add(time.Minute)))) || s.MissedRuns != missed {
			t.Errorf("after run %d the next is at %v, %d missed", number, s.NextRunTime, s.MissedRuns)
		}
		w.condition(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	}
	if n := w.cast.once(); n != 12 {
		t.Errorf("%d probers ran; want 3 in each of 4 runs", n)
	}
	w.empty()
}

// Between two runs the manager writes nothing, and looks again just when the next one is due.
func TestNothingIsWrittenBetweenRuns(t *testing.T) {
	w := furnished(t)
	p := w.everyMinute()
	r := w.manager(w.api)
	done := w.drive(r, p, over(1))
	wait, err := w.step(r, p)
	if left := done.Status.NextRunTime.Sub(w.clock.Now()); err != nil || wait != left {
		t.Errorf("look again in %v, %v; the next run is due in %v", wait, err, left)
	}
	if now := w.get(p); now.ResourceVersion != done.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}
}

func TestFaultRaisesAndClears(t *testing.T) {
	w := furnished(t)
	p := w.everyMinute(func(p *v1alpha1.TCPProbe) { p.Spec.Health = &v1alpha1.Health{RaiseAfter: 2} })
	r := w.manager(w.api)
	w.drive(r, p, over(1))
	w.cast.acts["kn2"] = finds("SequenceWrap", report.SequenceZeroDropped)
	w.condition(w.drive(r, p, over(2)), v1alpha1.ConditionPathHealthy, metav1.ConditionTrue,
		v1alpha1.ReasonBelowRaiseAfter)
	bad := w.drive(r, p, over(3))
	w.condition(bad, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if f := bad.Status.Findings; len(f) != 1 || !f[0].FirstSeen.Before(&f[0].LastSeen) {
		t.Errorf("findings %+v; want one that both runs saw", f)
	}
	delete(w.cast.acts, "kn2")
	w.drive(r, p, over(4))
	good := w.drive(r, p, over(5))
	w.condition(good, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if h := good.Status.History; len(h) != 4 || h[0].Verdict != "Pass" || h[1].Verdict != "Fail" {
		t.Errorf("history %+v", h)
	}
}

func TestSuspendedBetweenRuns(t *testing.T) {
	w := furnished(t)
	p := w.everyMinute()
	r := w.manager(w.api)
	missed := w.drive(r, p, over(1)).Status.MissedRuns
	w.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended })
	w.pass(r, p)
	w.clock.Step(10 * time.Minute)
	w.pass(r, p)
	if s := w.get(p).Status; s.NextRunTime != nil || s.LastRun.Number != 1 || s.ActiveRun != nil {
		t.Fatalf("suspended: %+v", s)
	}
	w.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Active })
	w.pass(r, p)
	if s := w.get(p).Status; s.ActiveRun != nil || s.MissedRuns != missed || s.NextRunTime == nil {
		t.Fatalf("resumed: %+v", s)
	}
	w.drive(r, p, over(2))
}

// An hour's outage in the middle of a run: that run ends, then one starts, and the others are counted.
func TestManagerIsAwayForAnHour(t *testing.T) {
	w := furnished(t)
	p := w.everyMinute()
	w.drive(w.manager(w.api), p, over(1))
	w.drive(w.manager(w.api), p, begun)
	w.clock.Step(time.Hour)
	r := w.manager(w.api)
	after := w.drive(r, p, over(2))
	if n := after.Status.MissedRuns; n < 59 || n > 60 {
		t.Errorf("%d runs missed in an hour", n)
	}
	done := w.drive(r, p, over(3))
	if done.Status.MissedRuns != after.Status.MissedRuns {
		t.Errorf("%d more missed", done.Status.MissedRuns-after.Status.MissedRuns)
	}
	w.cast.once()
}

// The clock is set back by an hour in the middle of a run: it ends in time, and the next one comes within an interval.
func TestClockIsSetBackDuringARun(t *testing.T) {
	w := furnished(t)
	w.cast.acts["kn3"] = func(*cast, *corev1.Pod, *plan.Plan, string) error { return nil } // its pod never starts
	p := w.everyMinute()
	r := w.manager(w.api)
	w.drive(r, p, begun)
	w.clock.SetTime(w.clock.Now().Add(-time.Hour))
	back := w.clock.Now()
	done := w.drive(r, p, over(1))
	if took := w.clock.Since(back); took > 2*time.Minute {
		t.Errorf("the run took %v after the clock was set back", took)
	}
	if wait := done.Status.NextRunTime.Sub(w.clock.Now()); wait > time.Minute {
		t.Errorf("the next run is due in %v", wait)
	}
	w.drive(r, p, over(2))
	w.cast.once()
}
