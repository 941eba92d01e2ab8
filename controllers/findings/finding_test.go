package findings

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/internal/goldenfile"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestFindings(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	rp.Refused = []target.RefusedEndpoint{{Target: "10.99.0.1:8080", Why: "it belongs to the API server"}}
	for name, outcomes := range map[string][]probepod.Outcome{
		"all-pass": outcometest.From(rp, nil),
		"bad-node": outcometest.From(rp, map[string]controllertest.Change{"kn2": controllertest.Dropped("10.244.1.5:8080",
			"10.244.3.5:8080")}),
		"bad-target": outcometest.From(rp, map[string]controllertest.Change{"kn1": controllertest.Dropped("10.244.3.5:8080"),
			"kn2": controllertest.Dropped("10.244.3.5:8080")}),
		"dead-path": outcometest.From(rp, map[string]controllertest.Change{"kn1": failsBothChecks("10.244.2.5:8080")}),
		"lost-source": append(outcometest.From(rp, nil)[:2], probepod.Outcome{Source: "kn3", State: probepod.Lost,
			Reason: v1alpha1.ReasonImagePull, Message: "ErrImagePull: no such image"}),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := yaml.Marshal(Build(rp, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon)))
			if err != nil {
				t.Fatal(err)
			}
			goldenfile.Compare(t, "findings-"+name+".yaml", text)
		})
	}
}

func TestFirstSeen(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	bad := map[string]controllertest.Change{"kn2": controllertest.Dropped("10.244.1.5:8080", "10.244.3.5:8080")}
	first := Build(rp, outcometest.From(rp, bad), target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon))
	later := metav1.NewTime(controllertest.Noon.Add(time.Hour))
	second := Build(rp, outcometest.From(rp, bad), target.Rechecked{}).Findings(first, later)
	if got := second[0]; !got.FirstSeen.Time.Equal(controllertest.Noon) || !got.LastSeen.Equal(&later) {
		t.Errorf("first seen %v, last seen %v", got.FirstSeen, got.LastSeen)
	}
	other := Build(rp, outcometest.From(rp,
		map[string]controllertest.Change{"kn1": controllertest.Dropped("10.244.2.5:8080",
			"10.244.3.5:8080")}), target.Rechecked{}).Findings(first, later)
	if !other[0].FirstSeen.Equal(&later) {
		t.Error("another node's finding is as old as the first one's")
	}
}

// TestFindingsFitTheSchema: the longest of everything at once.
func TestFindingsFitTheSchema(t *testing.T) {
	nodes := make([]string, 200)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("%s-%03d", strings.Repeat("n", 240), i)
	}
	rp := plantest.Example(nodes, nodes[:3])
	var outcomes []probepod.Outcome
	for i, node := range rp.Nodes() {
		outcomes = append(outcomes, probepod.Outcome{Source: node, State: probepod.Lost, Reason: fmt.Sprintf("Reason%d",
			i%50), Message: strings.Repeat("ä", 500)})
		rp.Refused = append(rp.Refused, target.RefusedEndpoint{Target: node, Why: strings.Repeat("w", 500)})
	}
	findings := Build(rp, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon))
	if len(findings) != v1alpha1.MaxFindings || findings[len(findings)-1].Reason != v1alpha1.ReasonEndpointsRefused {
		t.Errorf("%d findings, the last one %s", len(findings), findings[len(findings)-1].Reason)
	}
	for _, f := range findings {
		if len(f.Message) > v1alpha1.MaxFindingMessage || f.Pairs < 1 {
			t.Errorf("finding %+v", f)
		}
	}
}

func TestFlowsOfAGroupThatWasSplitAreLeftOut(t *testing.T) {
	rp := plantest.Example([]string{"kn1", "kn4", "kn5"}, []string{"kn2", "kn3"})
	bad := map[string]controllertest.Change{"kn1": controllertest.Dropped()}
	whole := Build(rp, outcometest.From(rp, bad), target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon))
	if len(whole) != 1 || whole[0].Flows == nil || whole[0].Flows.Fail != 32 || whole[0].Alpha != "1e-7" {
		t.Errorf("%+v; want the flows of both pairs", whole)
	}
	restarted := target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 restarted"}}}
	split := Build(rp, outcometest.From(rp, bad), restarted).Findings(nil, metav1.NewTime(controllertest.Noon))
	if len(split) != 2 || split[0].Verdict != string(report.Fail) || split[0].Flows != nil || split[0].Evidence == nil {
		t.Errorf("%+v; want no flows: the report has only the sum of both pairs", split)
	}
}

// TestFindingsOfManyPairs: findings that the status has no room for are not computed.
func TestFindingsOfManyPairs(t *testing.T) {
	nodes := make([]string, 250)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("kn%03d", i)
	}
	rp := plantest.Example(nodes, nodes[:64])
	agg := &Aggregate{RunPlan: rp}
	for i, node := range rp.Nodes() {
		agg.Outcomes = append(agg.Outcomes, probepod.Outcome{Source: node, State: probepod.Reported})
		for target := range rp.Plan.Targets {
			if (i+target)%2 == 0 {
				agg.Answers = append(agg.Answers, Answer{Pair: Pair{node, target}, Check: 1, Verdict: report.Fail,
					Reason: "SequenceZeroDropped"})
			}
		}
	}
	if got := len(agg.Findings(nil, metav1.NewTime(controllertest.Noon))); got != v1alpha1.MaxFindings-1 {
		t.Errorf("%d findings", got)
	}
	if got := len(agg.causes()); got != v1alpha1.MaxFindings {
		t.Errorf("%d causes were computed", got)
	}
}

// manyVariants is a run with five variants of SequenceWrap. One node loses some of them by one rule, and one more by
// no known rule.
func manyVariants() (*runplan.RunPlan, []probepod.Outcome) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	rp.Plan.Scenarios[1].Variants = []string{"Push", "Fin", "Data", "Ack", "Reset"}
	lost := map[string]string{"Push": "AnyOfFinPushRstAtZero", "Fin": "AnyOfFinPushRstAtZero",
		"Reset": "AnyOfFinPushRstAtZero", "Ack": ""}
	return rp, outcometest.From(rp, map[string]controllertest.Change{"kn2": func(r *report.Result) {
		if rule, is := lost[r.Variant]; is && r.PathType != report.SameNode && r.Target != "10.244.2.5:8080" {
			controllertest.Dropped()(r)
			r.Rule = rule
			r.Share = &report.Share{Failed: 2, Of: 16, Low: 0.0155, High: 0.3835, Ports: []uint16{40001, 0, 65535},
				Coverage: 0.88}
		}
	}})
}

func TestVariantsOfOneCauseAreOneFinding(t *testing.T) {
	rp, outcomes := manyVariants()
	text, err := yaml.Marshal(Build(rp, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon)))
	if err != nil {
		t.Fatal(err)
	}
	goldenfile.Compare(t, "findings-many-variants.yaml", text)
}

// TestMessageOfAReportIsWhole: the words of the operator before it take nothing away from its end, where a message may
// say what to do.
func TestMessageOfAReportIsWhole(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	message := strings.Repeat("m", 387) + " what to do"
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn2": func(r *report.Result) {
		controllertest.Dropped()(r)
		if r.Verdict == report.Fail {
			r.Message, r.Rule = message, "AnyOfFinPushRstAtZero"
		}
	}})
	f := Build(rp, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon))
	if !strings.HasSuffix(f[0].Message, message) {
		t.Error(f[0].Message)
	}
}

// TestWordsOfAnotherVariant: a report has one message for all variants that fail alike, so a finding says of which.
func TestWordsOfAnotherVariant(t *testing.T) {
	rp, outcomes := manyVariants()
	for _, f := range Build(rp, outcomes, target.Rechecked{}).Findings(nil, metav1.NewTime(controllertest.Noon)) {
		if others := len(f.Variants) > 1; strings.Contains(f.Message, ": of "+f.Variants[0]+": ") != others {
			t.Errorf("%v: %s", f.Variants, f.Message)
		}
	}
}

// TestQueueFindingsHaveScopeTarget: a queue belongs to its endpoint, whichever source filled it.
func TestQueueFindingsHaveScopeTarget(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	rp.Plan.Scenarios = append(rp.Plan.Scenarios, plan.Scenario{Type: "AcceptQueue",
		AcceptQueue: &plan.AcceptQueue{MaxConnections: 256},
		Only:        map[string][]int{"kn1": {1, 2}, "kn2": {0}}})
	overflowed := controllertest.QueueOverflowed()
	for name, c := range map[string]struct {
		change map[string]controllertest.Change
		scopes string
	}{
		"one": {map[string]controllertest.Change{"kn2": overflowed}, "Target 10.244.1.5:8080"},
		"both of one node": {map[string]controllertest.Change{"kn1": overflowed},
			"Target 10.244.2.5:8080, Target 10.244.3.5:8080"},
		"all": {map[string]controllertest.Change{"kn1": overflowed, "kn2": overflowed}, "All "},
	} {
		var scopes []string
		agg := Build(rp, outcometest.From(rp, c.change), target.Rechecked{})
		want := v1alpha1.QueueFinding{Least: 129, Most: 130, Behaviour: "IgnoredAck"}
		for _, f := range agg.Findings(nil, metav1.NewTime(controllertest.Noon)) {
			scopes = append(scopes, f.Scope+" "+f.Target)
			if f.Queue == nil || *f.Queue != want {
				t.Errorf("%s: queue %+v", name, f.Queue)
			}
		}
		if got := strings.Join(scopes, ", "); got != c.scopes {
			t.Errorf("%s: %s; want %s", name, got, c.scopes)
		}
	}
}

// TestQueueFindingOfAnUnreadyPod: a full queue may make its pod unready, so the finding holds. After a restart of the
// pod it does not.
func TestQueueFindingOfAnUnreadyPod(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"})
	rp.Plan.Scenarios[0] = plan.Scenario{Type: "AcceptQueue", AcceptQueue: &plan.AcceptQueue{MaxConnections: 256}}
	overflowed := controllertest.QueueOverflowed("10.244.1.5:8080")
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn1": overflowed})
	for what, want := range map[target.Change]report.Verdict{
		{What: "Pod web-1 is not Ready", Unready: true}: report.Fail,
		{What: "Pod web-1 restarted"}:                   report.Inconclusive,
	} {
		if got := Build(rp, outcomes, target.Rechecked{Changed: map[int]target.Change{0: what}}).Verdict; got != want {
			t.Errorf("%s: %s; want %s", what.What, got, want)
		}
	}
}
