//go:build envtest

package reconciler

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// everyMinute is a TCPProbe that recurs until the test ends. Then it is deleted, so that the manager of another test
// does not continue it.
func (env *testEnv) everyMinute(edit ...func(*v1alpha1.TCPProbe)) *v1alpha1.TCPProbe {
	env.Helper()
	p := env.probe(append(edit, func(p *v1alpha1.TCPProbe) {
		p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Interval, IntervalSeconds: new(int32(60)), DeadlineSeconds: 50}
	})...)
	env.Cleanup(func() {
		if err := env.api.Delete(context.Background(), p); err != nil {
			env.Error(err)
		}
	})
	return p
}

func TestRunsRecur(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.everyMinute()
	r := env.manager(env.api)
	first := env.runUntil(r, p, runEnded(1))
	missed := first.Status.MissedRuns // its first slot may have come meanwhile
	if first.Status.LastRun.Trigger != v1alpha1.TriggerSpec || first.Status.NextRunTime == nil {
		t.Fatalf("after the first run: %+v", first.Status)
	}
	for number := int64(2); number <= 4; number++ {
		slot := env.get(p).Status.NextRunTime.Time
		done := env.runUntil(r, p, runEnded(number))
		s := done.Status
		if s.LastRun.Trigger != v1alpha1.TriggerInterval || s.LastRun.StartTime.Time.Before(slot) ||
			s.LastRun.StartTime.Sub(slot) > 2*time.Second {
			t.Errorf("run %d, due at %v: %+v", number, slot, s.LastRun)
		}
		if !s.NextRunTime.Equal(new(metav1.NewTime(slot.Add(time.Minute)))) || s.MissedRuns != missed {
			t.Errorf("after run %d the next is at %v, %d missed", number, s.NextRunTime, s.MissedRuns)
		}
		env.expect(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	}
	if n := env.nodes.requireOneRunEach(); n != 12 {
		t.Errorf("%d probers ran; want 3 in each of 4 runs", n)
	}
	env.requireNothingLeft()
}

// TestNothingIsWrittenBetweenRuns: between two runs the manager writes nothing, and reconciles again when the next run
// is due.
func TestNothingIsWrittenBetweenRuns(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.everyMinute()
	r := env.manager(env.api)
	done := env.runUntil(r, p, runEnded(1))
	wait, err := env.tryReconcile(r, p)
	if left := done.Status.NextRunTime.Sub(env.clock.Now()); err != nil || wait != left {
		t.Errorf("requeued after %v, %v; the next run is due in %v", wait, err, left)
	}
	if now := env.get(p); now.ResourceVersion != done.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}
}

func TestFaultRaisesAndClears(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.everyMinute(func(p *v1alpha1.TCPProbe) { p.Spec.Health = &v1alpha1.Health{RaiseAfter: 2} })
	r := env.manager(env.api)
	env.runUntil(r, p, runEnded(1))
	env.nodes.behaviour["kn2"] = withFailure("SequenceWrap", report.SequenceZeroDropped)
	env.expect(env.runUntil(r, p, runEnded(2)), v1alpha1.ConditionPathHealthy, metav1.ConditionTrue,
		v1alpha1.ReasonBelowRaiseAfter)
	bad := env.runUntil(r, p, runEnded(3))
	env.expect(bad, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if f := bad.Status.Findings; len(f) != 1 || !f[0].FirstSeen.Before(&f[0].LastSeen) {
		t.Errorf("findings %+v; want one that both runs saw", f)
	}
	delete(env.nodes.behaviour, "kn2")
	env.runUntil(r, p, runEnded(4))
	good := env.runUntil(r, p, runEnded(5))
	env.expect(good, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if h := good.Status.History; len(h) != 4 || h[0].Verdict != "Pass" || h[1].Verdict != "Fail" {
		t.Errorf("history %+v", h)
	}
}

func TestSuspendedBetweenRuns(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.everyMinute()
	r := env.manager(env.api)
	missed := env.runUntil(r, p, runEnded(1)).Status.MissedRuns
	env.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended })
	env.reconcile(r, p)
	env.clock.Step(10 * time.Minute)
	env.reconcile(r, p)
	if s := env.get(p).Status; s.NextRunTime != nil || s.LastRun.Number != 1 || s.ActiveRun != nil {
		t.Fatalf("suspended: %+v", s)
	}
	env.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Active })
	env.reconcile(r, p)
	if s := env.get(p).Status; s.ActiveRun != nil || s.MissedRuns != missed || s.NextRunTime == nil {
		t.Fatalf("resumed: %+v", s)
	}
	env.runUntil(r, p, runEnded(2))
}

// TestManagerIsAwayForAnHour: no manager runs for an hour, from the middle of a run. Then that run ends, one run
// starts, and the missed ones are counted.
func TestManagerIsAwayForAnHour(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.everyMinute()
	env.runUntil(env.manager(env.api), p, runEnded(1))
	env.runUntil(env.manager(env.api), p, runStarted)
	env.clock.Step(time.Hour)
	r := env.manager(env.api)
	after := env.runUntil(r, p, runEnded(2))
	if n := after.Status.MissedRuns; n < 59 || n > 60 {
		t.Errorf("%d runs missed in an hour", n)
	}
	done := env.runUntil(r, p, runEnded(3))
	if done.Status.MissedRuns != after.Status.MissedRuns {
		t.Errorf("%d more missed", done.Status.MissedRuns-after.Status.MissedRuns)
	}
	env.nodes.requireOneRunEach()
}

// TestClockIsSetBackDuringARun: the clock is set back by an hour in the middle of a run. The run ends in time, and the
// next one starts within an interval.
func TestClockIsSetBackDuringARun(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.nodes.behaviour["kn3"] = neverStart
	p := env.everyMinute()
	r := env.manager(env.api)
	env.runUntil(r, p, runStarted)
	env.clock.SetTime(env.clock.Now().Add(-time.Hour))
	back := env.clock.Now()
	done := env.runUntil(r, p, runEnded(1))
	if took := env.clock.Since(back); took > 2*time.Minute {
		t.Errorf("the run took %v after the clock was set back", took)
	}
	if wait := done.Status.NextRunTime.Sub(env.clock.Now()); wait > time.Minute {
		t.Errorf("the next run is due in %v", wait)
	}
	env.runUntil(r, p, runEnded(2))
	env.nodes.requireOneRunEach()
}
