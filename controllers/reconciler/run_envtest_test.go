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

// newTestEnvWithPods has a pod of the Service on kn1 and on kn2.
func newTestEnvWithPods(t *testing.T) *testEnv {
	t.Helper()
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	env.pod("web-2", "kn2", "10.244.2.5")
	return env
}

func TestRun(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.probe()
	done := env.runUntil(env.manager(env.api), p, runEnded(1))
	env.expect(done, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	env.expect(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonCompleted)
	env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionTrue, v1alpha1.ReasonAllCovered)
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	s := done.Status
	pairs := v1alpha1.PairCounts{Planned: 6, Pass: 6, SameNode: 2}
	if s.Affected != "0/6" || *s.Pairs != pairs || len(s.Findings) != 0 || s.Target != "web:http" ||
		s.LastRun.Verdict != "Pass" {
		t.Errorf("status %+v", s)
	}
	if n := env.nodes.requireOneRunEach(); n != 3 {
		t.Errorf("%d probers ran; want 3", n)
	}
	env.requireNothingLeft()
}

func TestFindingAndRepair(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.nodes.behaviour["kn2"] = withFailure("SequenceWrap", report.SequenceZeroDropped)
	p := env.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Scenarios = nil })
	r := env.manager(env.api)
	bad := env.runUntil(r, p, runEnded(1))
	message := env.expect(bad, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if !strings.HasPrefix(message,
		"node kn2 to 2 of 2 endpoints, SequenceWrap Push: ") || bad.Status.Affected != "2/6" ||
		len(bad.Status.Findings) != 1 {
		t.Errorf("%s, %q: %+v", bad.Status.Affected, message, bad.Status.Findings)
	}
	if kept := env.proberPods(); len(kept) != 1 || kept[0].Annotations[runplan.AnnotationSource] != "kn2" {
		t.Errorf("%d pods kept; want the one that found something", len(kept))
	}
	delete(env.nodes.behaviour, "kn2")
	env.edit(p, runAgain("repaired"))
	good := env.runUntil(r, p, runEnded(2))
	env.expect(good, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if s := good.Status; s.HandledRun != "repaired" || s.LastRun.Trigger != v1alpha1.TriggerAnnotation ||
		len(s.History) != 1 || s.History[0].Affected != "2/6" {
		t.Errorf("status %+v", s)
	}
	env.clock.Step(gc.KeptFor)
	env.reconcile(r, p)
	env.requireNothingLeft()
	env.nodes.requireOneRunEach()
}

func TestNothingIsWrittenWhenNothingIsDue(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.probe()
	r := env.manager(env.api)
	done := env.runUntil(r, p, runEnded(1))
	for range 3 {
		if wait, err := env.tryReconcile(r, p); err != nil || wait != 0 {
			t.Fatalf("requeued after %v, %v", wait, err)
		}
	}
	if now := env.get(p); now.ResourceVersion != done.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}
}

func TestEditDuringARun(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.probe()
	r := env.manager(env.api)
	env.runUntil(r, p, runStarted)
	env.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Paths = 8 })
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonNotRun)
	done = env.runUntil(r, p, runEnded(2))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if s := done.Status; s.LastRun.Trigger != v1alpha1.TriggerSpec || len(s.History) != 1 {
		t.Errorf("status %+v", s)
	}
	if n := env.nodes.requireOneRunEach(); n != 6 {
		t.Errorf("%d probers ran; want 3 of each run", n)
	}
	env.requireNothingLeft()
}

// runStarted reports whether the plan of the active run is on record.
func runStarted(p *v1alpha1.TCPProbe) bool {
	return p.Status.ActiveRun != nil && p.Status.ActiveRun.Plan != ""
}

func TestSuspended(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.probe(func(p *v1alpha1.TCPProbe) { p.Spec.State = v1alpha1.Suspended })
	r := env.manager(env.api)
	env.reconcile(r, p)
	now := env.get(p)
	env.expect(now, v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
	if now.Status.ActiveRun != nil || len(env.plans()) > 0 {
		t.Fatal("a suspended TCPProbe runs")
	}
	state := func(s v1alpha1.State) func(*v1alpha1.TCPProbe) {
		return func(p *v1alpha1.TCPProbe) { p.Spec.State = s }
	}
	env.edit(p, state(v1alpha1.Active))
	env.runUntil(r, p, runStarted)
	env.edit(p, state(v1alpha1.Suspended))
	done := env.runUntil(r, p, runEnded(1)) // an active run continues
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	env.requireNothingLeft()
}

func TestRunStartsAsSoonAsItCan(t *testing.T) {
	env := newTestEnv(t)
	p := env.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Name = "later" })
	r := env.manager(env.api)
	wait, err := env.tryReconcile(r, p)
	if err != nil || wait == 0 {
		t.Fatalf("requeued after %v, %v", wait, err)
	}
	env.expect(env.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonServiceNotFound)
	env.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Name = "web" })
	env.reconcile(r, p)
	env.expect(env.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonNoEndpoints)
	env.pod("web-1", "kn1", "10.244.1.5")
	env.runUntil(r, p, runEnded(1))
}
