package findings

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	lines "github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// seenAt is a prober that sees this at one address, and passes everywhere else.
func seenAt(address string, verdict report.Verdict, reason report.Reason) controllertest.Change {
	return func(r *report.Result) {
		if r.Target != address {
			return
		}
		r.Verdict, r.Reason, r.Message, r.PathType = verdict, reason, "seen: "+string(reason), report.Overlay
		r.Flows, r.Alpha, r.StallMillis = report.Flows{Tried: 16, Pass: 3, Fail: 9, Inconclusive: 4}, 1e-7, 1234
		r.Suspects = &report.Segments{Sent: 20, Lost: 12, RTTMicros: &report.Delay{Median: 400, Max: 900}}
		r.Controls = &report.Segments{Sent: 40, Lost: 21}
		r.Evidence = lines.FromTexts("+0.000000 > S seq 4294967292", "+0.000300 < R.")
	}
}

// published is all that a status says of the outcomes of a run, but for times.
func published(t *testing.T, rp *runplan.RunPlan, outcomes []probepod.Outcome, rechecked target.Rechecked) string {
	t.Helper()
	agg := Build(rp, outcomes, rechecked)
	text, err := yaml.Marshal(map[string]any{
		"findings": agg.Findings(nil, metav1.NewTime(controllertest.Noon)), "pairs": agg.Pairs, "verdict": agg.Verdict,
		"reported": agg.Reported, "notes": agg.Notes, "answers": len(agg.Answers),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNothingIsPublishedOfATargetThatMoved: whatever was seen at an address whose pod moved, the same is published. So
// nobody learns what answers there: neither from a Pass, nor from a finding, a count, a note or the room that is left
// in a report.
func TestNothingIsPublishedOfATargetThatMoved(t *testing.T) {
	moved := target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 is gone", Moved: true}}}
	const address = "10.244.1.5:8080"
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	publishedOf := func(seen controllertest.Change, rechecked target.Rechecked) string {
		t.Helper()
		outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn1": seen, "kn2": seen})
		return published(t, rp, outcomes, rechecked)
	}
	want := publishedOf(nil, moved)
	if !strings.Contains(want, "reason: TargetChanged") || !strings.Contains(want, "Pod web-1 is gone") ||
		strings.Contains(want, "10.244.1.5") || strings.Contains(want, "evidence") || strings.Contains(want, "flows") {
		t.Errorf("published:\n%s", want)
	}
	for reason, verdict := range map[report.Reason]report.Verdict{
		report.Established: report.Pass, report.Delivered: report.Pass, report.SequenceZeroDropped: report.Fail,
		report.Filtered: report.Inconclusive, report.PathDown: report.Inconclusive,
		"Refused": report.Fail, "PeerReset": report.Inconclusive, "Reset": report.Inconclusive,
	} {
		seen := seenAt(address, verdict, reason)
		if got := publishedOf(seen, moved); got != want {
			t.Errorf("%s/%s of a target that moved is published:\n%s; want\n%s", verdict, reason, got, want)
		}
		if same := publishedOf(seen, target.Rechecked{}); same == want || strings.Contains(same, "TargetChanged") {
			t.Errorf("%s/%s of a target that stayed is not published:\n%s", verdict, reason, same)
		}
	}
}

// TestOtherSourcesStayWhenATargetMoved: a source that does not have the target keeps its report.
func TestOtherSourcesStayWhenATargetMoved(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	rp.Plan.Sources["kn3"] = []int{1, 2}
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn3": controllertest.Dropped("10.244.2.5:8080")})
	moved := map[int]target.Change{0: {What: "Pod web-1 is gone", Moved: true}}
	agg := Build(rp, outcomes, target.Rechecked{Changed: moved})
	want := v1alpha1.PairCounts{Planned: 8, Pass: 1, Fail: 1, Inconclusive: 6, SameNode: 3}
	if agg.Reported != 1 || agg.Pairs != want {
		t.Errorf("%d reported, %+v", agg.Reported, agg.Pairs)
	}
	if outcomes[0].State != probepod.Reported {
		t.Error("the run's own outcomes were changed")
	}
}

// TestLostSourceKeepsItsReason: a source without a report says why there is none, also if its target moved.
func TestLostSourceKeepsItsReason(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2"})
	lost := []probepod.Outcome{{Source: "kn1", State: probepod.Lost, Reason: v1alpha1.ReasonImagePull, Message: "no"}}
	agg := Build(rp, lost, target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 is gone", Moved: true}}})
	if agg.Answers[0].Reason != v1alpha1.ReasonImagePull {
		t.Errorf("%+v", agg.Answers)
	}
}

// TestEachTargetThatChangedIsNamed: one finding about several pods names them all.
func TestEachTargetThatChangedIsNamed(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	down := controllertest.Failing("SequenceWrap", report.Inconclusive, report.PathDown)
	changed := make(map[int]target.Change)
	for i := range controllertest.ThreeNodes {
		changed[i] = target.Change{What: "Pod " + rp.Endpoints[i].Pod + " restarted"}
	}
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn1": down, "kn2": down, "kn3": down})
	list := Build(rp, outcomes, target.Rechecked{Changed: changed}).Findings(nil, metav1.NewTime(controllertest.Noon))
	if len(list) != 1 || list[0].Reason != v1alpha1.ReasonTargetChanged {
		t.Fatalf("%+v", list)
	}
	for _, pod := range []string{"web-1", "web-2", "web-3"} {
		if !strings.Contains(list[0].Message, "Pod "+pod+" restarted during the run") {
			t.Errorf("%s is not named: %s", pod, list[0].Message)
		}
	}
}
