//go:build e2e

package e2e

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// everyMinute sets the shortest interval.
func everyMinute(s *v1alpha1.TCPProbeSpec) {
	s.Run = v1alpha1.Run{Mode: v1alpha1.Interval, IntervalSeconds: ptr.To[int32](60)}
	s.Health = &v1alpha1.Health{ClearAfterSeconds: ptr.To[int32](0)}
}

// TestEveryMinute: runs start by themselves, find a fault while it is there, and pass when it is repaired. A suspended
// TCPProbe does not run.
func TestEveryMinute(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, everyMinute)
	before := int64(1) // runs before the fault
	waitForRun(t, p, before)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if soon := time.Until(p.Status.NextRunTime.Time); soon < 5*time.Second { // too soon to cause the fault before it
		t.Logf("the next slot is in %v", soon)
		before++
		waitForRun(t, p, before)
	}
	due, missed := p.Status.NextRunTime, p.Status.MissedRuns // its first slot may have come while run 1 went on

	repair := breakCable(t, "kn2", "push-at-zero")
	waitForRun(t, p, before+1)
	expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	late := p.Status.LastRun.StartTime.Sub(due.Time)
	if late < 0 || late.Seconds() > 10 || p.Status.LastRun.Trigger != v1alpha1.TriggerInterval {
		t.Errorf("the run after (%s) started %v after it was due", p.Status.LastRun.Trigger, late)
	}

	repair()
	waitForRun(t, p, before+2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if p.Status.MissedRuns != missed || int64(len(p.Status.History)) != before+1 ||
		p.Status.History[0].Affected != "8/18" {
		t.Errorf("%d missed, history %+v", p.Status.MissedRuns-missed, p.Status.History)
	}
	p.Spec.State = v1alpha1.Suspended
	if err := cluster.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		refresh(t, p)
		if p.Status.NextRunTime != nil {
			return "a run is due though the TCPProbe is suspended"
		}
		return ""
	})
}
