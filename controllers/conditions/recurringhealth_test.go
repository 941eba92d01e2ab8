package conditions

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// afterRuns gives a recurring TCPProbe runs that are five minutes apart: f fails, p passes, i is Inconclusive.
func afterRuns(p *v1alpha1.TCPProbe, runs string) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	p.Status.LastRun = nil
	for i, run := range runs {
		at := controllertest.Noon.Add(time.Duration(i) * 5 * time.Minute)
		Announce(p, &target.Resolved{Service: plantest.Web(), Sources: target.Sources{Matched: 3,
			Planned: controllertest.ThreeNodes}}, at)
		outcomes := outcometest.From(rp, nil)
		switch run {
		case 'f':
			outcomes = outcometest.From(rp, map[string]controllertest.Change{"kn2": controllertest.Dropped()})
		case 'i':
			outcomes = append(outcomes[:2], probepod.Outcome{Source: "kn3", State: probepod.Lost,
				Reason: v1alpha1.ReasonImagePull, Message: "no such image"})
		}
		Conclude(p, findings.Build(rp, outcomes, target.Rechecked{}), at)
		schedule.UpdateHealth(p, at)
		Set(p, Observation{}, at)
	}
}

func healthLimits(raiseAfter, clearAfter int32) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) {
		p.Spec.Health = &v1alpha1.Health{RaiseAfter: raiseAfter, ClearAfterSeconds: &clearAfter}
	}
}

func TestHealthOverRuns(t *testing.T) {
	for name, c := range map[string]struct {
		limits       func(*v1alpha1.TCPProbe)
		runs         string
		status, says string // of PathHealthy: status and reason, and part of its message
	}{
		"passes": {healthLimits(1, 60), "pp", "True AllPassed", "passed"},
		"fails":  {healthLimits(1, 60), "ppf", "False SequenceZeroDropped", "kn2"},
		"heals":  {healthLimits(1, 60), "fp", "True AllPassed", "passed"},
		"heals too soon": {healthLimits(1, 600), "fp", "False RecentFailure",
			"failed at 2026-10-02T12:00:00Z, and none has passed 10m0s or more after that"},
		"heals in time": {healthLimits(1, 600), "fpp", "True AllPassed", "passed"},
		"fails again meanwhile": {healthLimits(1, 600), "fpfp", "False RecentFailure",
			"failed at 2026-10-02T12:10:00Z"},
		"one of three": {healthLimits(3, 60), "pf", "True BelowRaiseAfter",
			"1 of the 3 failing runs in a row"},
		"one of three, never passed":  {healthLimits(3, 60), "f", "Unknown BelowRaiseAfter", "1 of the 3"},
		"three in a row":              {healthLimits(3, 60), "pfff", "False SequenceZeroDropped", "kn2"},
		"three, not in a row":         {healthLimits(3, 60), "pffpf", "True BelowRaiseAfter", "1 of the 3"},
		"nothing established between": {healthLimits(3, 60), "pffif", "False SequenceZeroDropped", "kn2"},
		"nothing established":         {healthLimits(1, 60), "i", "Unknown ImagePull", "no such image"},
		"inconclusive does not clear": {healthLimits(1, 60), "fi", "False RecentFailure",
			"the last one: 3 of 9 pairs came to no verdict"},
		"inconclusive does not raise": {healthLimits(1, 60), "pi", "True EarlierRunPassed",
			"3 of 9 pairs came to no verdict"},
		"three without coverage":        {healthLimits(1, 60), "piii", "Unknown CoverageLost", "each of the last 3 runs"},
		"failed, then no coverage":      {healthLimits(1, 60), "fiii", "Unknown CoverageLost", "each of the last 3 runs"},
		"coverage lost and found again": {healthLimits(1, 60), "piiip", "True AllPassed", "passed"},
		"defaults": {func(p *v1alpha1.TCPProbe) { p.Spec.Health = nil }, "pf",
			"False SequenceZeroDropped", "kn2"},
	} {
		t.Run(name, func(t *testing.T) {
			p := controllertest.IntervalProbe(c.limits)
			afterRuns(p, c.runs)
			got := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionPathHealthy)
			if s := string(got.Status) + " " + got.Reason; s != c.status || !strings.Contains(got.Message, c.says) {
				t.Errorf("after %s: %s, %q; want %s that says %q", c.runs, s, got.Message, c.status, c.says)
			}
		})
	}
}

func TestHealthIsResetByAnotherSpec(t *testing.T) {
	p := controllertest.IntervalProbe(healthLimits(3, 60))
	afterRuns(p, "pff")
	p.Spec.Paths++
	Announce(p, &target.Resolved{Service: plantest.Web(), Sources: target.Sources{Matched: 3,
		Planned: controllertest.ThreeNodes}}, controllertest.Noon)
	if p.Status.Health != nil {
		t.Errorf("another spec keeps the health record %+v", p.Status.Health)
	}
}

func TestOnceHasNoHealthRecord(t *testing.T) {
	p := controllertest.IntervalProbe()
	afterRuns(p, "f")
	p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Once, DeadlineSeconds: 50}
	schedule.UpdateHealth(p, controllertest.Noon)
	if p.Status.Health != nil {
		t.Errorf("%+v", p.Status.Health)
	}
}

func TestCompleteHasTheNextRun(t *testing.T) {
	p := controllertest.IntervalProbe()
	p.Status.NextRunTime = nil
	afterRuns(p, "p")
	schedule.UpdateNextRun(p, controllertest.Noon)
	Set(p, Observation{}, controllertest.Noon)
	message := func() string {
		return meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete).Message
	}
	if want := "the next run is due at " + clockTime(p.Status.NextRunTime); !strings.HasSuffix(message(), want) {
		t.Errorf("%q; want %q", message(), want)
	}
	p.Spec.State = v1alpha1.Suspended
	schedule.UpdateNextRun(p, controllertest.Noon)
	Set(p, Observation{}, controllertest.Noon)
	if want := "spec.state Suspended holds further runs back"; !strings.HasSuffix(message(), want) {
		t.Errorf("%q; want %q", message(), want)
	}
}
