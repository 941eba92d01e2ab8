//go:build envtest

package reconciler

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// furnished is a world with a pod of the Service on kn1 and on kn2.
func furnished(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.pod("web-2", "kn2", "10.244.2.5")
	return w
}

func TestFromApplyToVerdict(t *testing.T) {
	w := furnished(t)
	p := w.probe()
	done := w.drive(w.manager(w.api), p, over(1))
	w.condition(done, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	w.condition(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionTrue, v1alpha1.ReasonAllCovered)
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	s := done.Status
	if s.Affected != "0/6" || *s.Pairs != (v1alpha1.PairCounts{Planned: 6, Pass: 6,
		SameNode: 2}) || len(s.Findings) != 0 || s.Target != "web:http" || s.LastRun.Verdict != "Pass" {
		t.Errorf("status %+v", s)
	}
	if n := w.cast.once(); n != 3 {
		t.Errorf("%d probers ran; want 3", n)
	}
	w.empty()
}

func TestBadNodeIsFoundAndHeals(t *testing.T) {
	w := furnished(t)
	w.cast.acts["kn2"] = finds("SequenceWrap", report.SequenceZeroDropped)
	p := w.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Scenarios = nil })
	r := w.manager(w.api)
	bad := w.drive(r, p, over(1))
	message := w.condition(bad, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if !strings.HasPrefix(message,
		"node kn2 to 2 of 2 endpoints, SequenceWrap Push: ") || bad.Status.Affected != "2/6" ||
		len(bad.Status.Findings) != 1 {
		t.Errorf("%s, %q: %+v", bad.Status.Affected, message, bad.Status.Findings)
	}
	if kept := w.proberPods(); len(kept) != 1 || kept[0].Annotations[runplan.AnnotationSource] != "kn2" {
		t.Errorf("%d pods kept; want the one that found something", len(kept))
	}
	delete(w.cast.acts, "kn2")
	w.edit(p, runAgain("repaired"))
	good := w.drive(r, p, over(2))
	w.condition(good, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if s := good.Status; s.HandledRun != "repaired" || s.LastRun.Trigger != v1alpha1.TriggerAnnotation ||
		len(s.History) != 1 || s.History[0].Affected != "2/6" {
		t.Errorf("status %+v", s)
	}
	w.clock.Step(gc.KeptFor)
	w.pass(r, p)
	w.empty()
	w.cast.once()
}

func TestNothingHappensWhenNothingIsDue(t *testing.T) {
	w := furnished(t)
	p := w.probe()
	r := w.manager(w.api)
	done := w.drive(r, p, over(1))
	for range 3 {
		if wait, err := w.step(r, p); err != nil || wait != 0 {
			t.Fatalf("look again in %v, %v", wait, err)
		}
	}
	if now := w.get(p); now.ResourceVersion != done.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}
}

func TestEditDuringARun(t *testing.T) {
	w := furnished(t)
	p := w.probe()
	r := w.manager(w.api)
	w.drive(r, p, begun)
	w.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Paths = 8 })
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonNotRun)
	done = w.drive(r, p, over(2))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if s := done.Status; s.LastRun.Trigger != v1alpha1.TriggerSpec || len(s.History) != 1 {
		t.Errorf("status %+v", s)
	}
	if n := w.cast.once(); n != 6 {
		t.Errorf("%d probers ran; want 3 of each run", n)
	}
	w.empty()
}

// begun is a run with its plan on record.
func begun(p *v1alpha1.TCPProbe) bool {
	return p.Status.ActiveRun != nil && p.Status.ActiveRun.Plan != ""
}

func TestSuspended(t *testing.T) {
	w := furnished(t)
	p := w.probe(func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended })
	r := w.manager(w.api)
	w.pass(r, p)
	now := w.get(p)
	w.condition(now, v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
	if now.Status.ActiveRun != nil || len(w.plans()) > 0 {
		t.Fatal("a suspended TCPProbe runs")
	}
	state := func(s v1alpha1.State) func(*v1alpha1.TCPProbe) {
		return func(p *v1alpha1.TCPProbe) { p.Spec.State = s }
	}
	w.edit(p, state(v1alpha1.Active))
	w.drive(r, p, begun)
	w.edit(p, state(v1alpha1.Suspended))
	done := w.drive(r, p, over(1)) // what has started ends by itself
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	w.empty()
}

func TestRunStartsAsSoonAsItCan(t *testing.T) {
	w := newWorld(t)
	p := w.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Name = "later" })
	r := w.manager(w.api)
	wait, err := w.step(r, p)
	if err != nil || wait == 0 {
		t.Fatalf("look again in %v, %v", wait, err)
	}
	w.condition(w.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonServiceNotFound)
	w.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Name = "web" })
	w.pass(r, p)
	w.condition(w.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonNoEndpoints)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.drive(r, p, over(1))
}
