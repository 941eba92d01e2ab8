package controllers

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func TestAnnounce(t *testing.T) {
	p := exampleProbe()
	runValue("first")(p)
	announce(p, &Gathered{Service: shopWeb(), Sources: Sources{Matched: 5, Planned: three}}, noon)
	run := p.Status.ActiveRun
	if run.ID != runID(p, 1) || run.Number != 1 || run.Trigger != v1alpha1.TriggerSpec || run.Sources != 3 || run.Plan != "" {
		t.Errorf("announced %+v", run)
	}
	if s := p.Status; s.HandledRun != "first" || s.Target != "web:http" || *s.Sources != (v1alpha1.SourceCounts{Matched: 5, Planned: 3, Skipped: 2}) {
		t.Errorf("status %+v", s)
	}
}

func TestRunsBecomeHistory(t *testing.T) {
	f := exampleFrozen(three, three)
	p := exampleProbe()
	for number := int64(1); number <= 8; number++ {
		announce(p, &Gathered{Service: shopWeb(), Sources: Sources{Matched: 3, Planned: three}}, noon)
		var bad map[string]verdicts
		if number == 7 {
			bad = map[string]verdicts{"kn2": dropped()}
		}
		conclude(p, tally(f, outcomesOf(f, bad), Rechecked{}), noon.Add(time.Duration(number)*time.Minute))
		if p.Status.ActiveRun != nil || p.Status.LastRun.Number != number {
			t.Fatalf("run %d: %+v", number, p.Status)
		}
		runValue(string(rune('a' + number)))(p)
	}
	h := p.Status.History
	if len(h) != v1alpha1.MaxHistory || h[0].Number != 7 || h[0].Verdict != "Fail" || h[0].Affected != "3/9" || h[4].Number != 3 || h[4].Affected != "0/9" {
		t.Errorf("history %+v", h)
	}
	if p.Status.Affected != "0/9" || p.Status.LastRun.Reported != 3 || p.Status.LastRun.Verdict != "Pass" {
		t.Errorf("status %+v", p.Status)
	}
}

// TestTheEndIsWrittenOnce: what is said of a run's end does not change when it comes back from the API server, whose
// times have seconds. Another write would be in the way of whoever edits the resource then.
func TestTheEndIsWrittenOnce(t *testing.T) {
	f := exampleFrozen(three, three)
	p := exampleProbe()
	p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: runID(p, 1), Number: 1, StartTime: metav1.NewTime(noon), Sources: 3}
	end := noon.Add(4600 * time.Millisecond)
	conclude(p, tally(f, outcomesOf(f, nil), Rechecked{}), end)
	setConditions(p, Standing{}, end)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var stored v1alpha1.TCPProbe
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	again := stored.DeepCopy()
	setConditions(again, Standing{}, end.Add(time.Second))
	if d := cmp.Diff(stored.Status, again.Status); d != "" {
		t.Error(d)
	}
}
