package conditions

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

func TestAnnounce(t *testing.T) {
	p := controllertest.Probe()
	controllertest.WithRunAnnotation("first")(p)
	Announce(p, &target.Resolved{Service: plantest.Web(), Sources: target.Sources{Matched: 5,
		Planned: controllertest.ThreeNodes}}, controllertest.Noon)
	run := p.Status.ActiveRun
	if run.ID != schedule.RunID(p, 1) || run.Number != 1 || run.Trigger != v1alpha1.TriggerSpec ||
		run.Sources != 3 || run.Plan != "" {
		t.Errorf("announced %+v", run)
	}
	if s := p.Status; s.HandledRun != "first" || s.Target != "web:http" ||
		*s.Sources != (v1alpha1.SourceCounts{Matched: 5, Planned: 3, Skipped: 2}) {
		t.Errorf("status %+v", s)
	}
}

// TestHandledRunTellsTheRunsApart: until the run that an annotation asks for is announced, Complete is the last run's,
// and handledRun says so. From then on Complete is False until that run has ended.
func TestHandledRunTellsTheRunsApart(t *testing.T) {
	p := afterFirstRun(plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes), nil)
	Set(p, Observation{}, controllertest.Noon)
	controllertest.WithRunAnnotation("again")(p)
	if complete := meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionComplete); !complete ||
		p.Status.HandledRun == "again" {
		t.Errorf("before: Complete %t, handled %q", complete, p.Status.HandledRun)
	}
	Announce(p, &target.Resolved{Service: plantest.Web()}, controllertest.Noon)
	Set(p, Observation{Progress: &Progress{Number: 2}}, controllertest.Noon)
	if !meta.IsStatusConditionFalse(p.Status.Conditions, v1alpha1.ConditionComplete) || p.Status.HandledRun != "again" {
		t.Errorf("announced: %+v", p.Status)
	}
}

func TestRunsBecomeHistory(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	p := controllertest.Probe()
	for number := int64(1); number <= 8; number++ {
		Announce(p, &target.Resolved{Service: plantest.Web(), Sources: target.Sources{Matched: 3,
			Planned: controllertest.ThreeNodes}}, controllertest.Noon)
		var bad map[string]controllertest.Change
		if number == 7 {
			bad = map[string]controllertest.Change{"kn2": controllertest.Dropped()}
		}
		Conclude(p, findings.Build(rp, outcometest.From(rp, bad), target.Rechecked{}),
			controllertest.Noon.Add(time.Duration(number)*time.Minute))
		if p.Status.ActiveRun != nil || p.Status.LastRun.Number != number {
			t.Fatalf("run %d: %+v", number, p.Status)
		}
		controllertest.WithRunAnnotation(string(rune('a' + number)))(p)
	}
	h := p.Status.History
	if len(h) != v1alpha1.MaxHistory || h[0].Number != 7 || h[0].Verdict != "Fail" || h[0].Affected != "3/9" ||
		h[4].Number != 3 || h[4].Affected != "0/9" {
		t.Errorf("history %+v", h)
	}
	if p.Status.Affected != "0/9" || p.Status.LastRun.Reported != 3 || p.Status.LastRun.Verdict != "Pass" {
		t.Errorf("status %+v", p.Status)
	}
}

// TestStoredStatusGivesTheSameConditions: a status that comes back from the API server, whose times have whole
// seconds, gives the same conditions. A second write would conflict with users who edit the resource.
func TestStoredStatusGivesTheSameConditions(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	p := controllertest.Probe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1), Number: 1,
		StartTime: metav1.NewTime(controllertest.Noon), Sources: 3}
	end := controllertest.Noon.Add(4600 * time.Millisecond)
	Conclude(p, findings.Build(rp, outcometest.From(rp, nil), target.Rechecked{}), end)
	Set(p, Observation{}, end)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var stored v1alpha1.TCPProbe
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	again := stored.DeepCopy()
	Set(again, Observation{}, end.Add(time.Second))
	if d := cmp.Diff(stored.Status, again.Status); d != "" {
		t.Error(d)
	}
}
