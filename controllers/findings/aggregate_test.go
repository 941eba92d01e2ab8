package findings

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestBuild(t *testing.T) {
	lost := func(source string) func([]probepod.Outcome) []probepod.Outcome {
		return func(o []probepod.Outcome) []probepod.Outcome {
			for i := range o {
				if o[i].Source == source {
					o[i] = probepod.Outcome{Source: source, State: probepod.Lost, Reason: v1alpha1.ReasonImagePull,
						Message: "no image"}
				}
			}
			return o
		}
	}
	for name, c := range map[string]struct {
		hosts   []string
		change  map[string]controllertest.Change
		outcome func([]probepod.Outcome) []probepod.Outcome
		verdict report.Verdict
		pairs   v1alpha1.PairCounts
	}{
		"all pass": {controllertest.ThreeNodes, nil, nil, report.Pass,
			v1alpha1.PairCounts{Planned: 9, Pass: 9, SameNode: 3}},
		"one bad node": {controllertest.ThreeNodes, map[string]controllertest.Change{"kn2": controllertest.Dropped()},
			nil, report.Fail, v1alpha1.PairCounts{Planned: 9, Pass: 6, Fail: 3, SameNode: 3}},
		"both checks, one pair": {controllertest.ThreeNodes,
			map[string]controllertest.Change{"kn2": failsBothChecks("10.244.1.5:8080")},
			nil, report.Fail, v1alpha1.PairCounts{Planned: 9, Pass: 8, Fail: 1, SameNode: 3}},
		"one source missing": {controllertest.ThreeNodes, nil, lost("kn3"), report.Inconclusive,
			v1alpha1.PairCounts{Planned: 9, Pass: 6, Inconclusive: 3, SameNode: 3}},
		"fail outweighs missing": {controllertest.ThreeNodes,
			map[string]controllertest.Change{"kn2": controllertest.Dropped()},
			lost("kn3"), report.Fail, v1alpha1.PairCounts{Planned: 9, Pass: 3, Fail: 3, Inconclusive: 3, SameNode: 3}},
		"inconclusive, two nodes": {controllertest.ThreeNodes,
			map[string]controllertest.Change{"kn1": controllertest.Failing("SequenceWrap", report.Inconclusive,
				report.PathLossy, "10.244.2.5:8080")}, nil, report.Inconclusive, v1alpha1.PairCounts{
				Planned: 9, Pass: 8, Inconclusive: 1, SameNode: 3}},
		"inconclusive, same node": {controllertest.ThreeNodes,
			map[string]controllertest.Change{"kn1": controllertest.Failing("SequenceWrap", report.Inconclusive,
				report.PathLossy, "10.244.1.5:8080")}, nil, report.Pass, v1alpha1.PairCounts{
				Planned: 9, Pass: 8, Inconclusive: 1, SameNode: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			rp := plantest.Example(controllertest.ThreeNodes, c.hosts)
			outcomes := outcometest.From(rp, c.change)
			if c.outcome != nil {
				outcomes = c.outcome(outcomes)
			}
			got := Build(rp, outcomes, target.Rechecked{})
			if got.Verdict != c.verdict || got.Pairs != c.pairs {
				t.Errorf("%s, %+v; want %s, %+v", got.Verdict, got.Pairs, c.verdict, c.pairs)
			}
		})
	}
}

func failsBothChecks(target string) controllertest.Change {
	return func(r *report.Result) {
		controllertest.Failing("Handshake", report.Fail, report.Filtered, target)(r)
		controllertest.Failing("SequenceWrap", report.Inconclusive, report.PathDown, target)(r)
	}
}

func TestSameNodePairsAloneNeverPass(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn1"})
	got := Build(rp, outcometest.From(rp, nil), target.Rechecked{})
	if got.Verdict != report.Inconclusive || got.Pairs.SameNode != 1 || got.Pairs.Pass != 1 {
		t.Errorf("%s, %+v; want Inconclusive: no segment crossed the network", got.Verdict, got.Pairs)
	}
	bad := Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn1": controllertest.Dropped()}),
		target.Rechecked{})
	if bad.Verdict != report.Fail {
		t.Errorf("%s; want Fail: a pair on one node can fail too", bad.Verdict)
	}
}

func TestRecheckedTargets(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"})
	web1, web2 := "10.244.1.5:8080", "10.244.2.5:8080"
	for name, c := range map[string]struct {
		change controllertest.Change
		found  target.Rechecked
		want   string
	}{
		"a Fail of a changed target": {controllertest.Dropped(web1),
			target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 restarted"}}}, "Inconclusive TargetChanged"},
		"silence of a changed target": {controllertest.Failing("SequenceWrap", report.Inconclusive, report.PathDown, web1),
			target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 restarted"}}}, "Inconclusive TargetChanged"},
		"a Fail of another target stands": {controllertest.Dropped(web2),
			target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 restarted"}}}, "Fail SequenceZeroDropped"},
		"silence behind a policy": {failsBothChecks(web1), target.Rechecked{Policy: map[int]string{0: "deny"}},
			"Inconclusive PolicyMayApply, Inconclusive PolicyMayApply"},
		"silence without one": {failsBothChecks(web1), target.Rechecked{}, "Fail Filtered, Inconclusive PathDown"},
		"a drop behind a policy stands": {controllertest.Dropped(web1),
			target.Rechecked{Policy: map[int]string{0: "deny"}}, "Fail SequenceZeroDropped"},
		"changed, and behind a policy": {failsBothChecks(web1),
			target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 restarted"}},
				Policy: map[int]string{0: "deny"}}, "Inconclusive TargetChanged, Inconclusive TargetChanged"},
		"moved, and behind a policy": {failsBothChecks(web1),
			target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 is gone", Moved: true}},
				Policy: map[int]string{0: "deny"}}, "Inconclusive TargetChanged, Inconclusive TargetChanged"},
		"a Pass of a pod that restarted stands": {unchanged,
			target.Rechecked{Changed: map[int]target.Change{0: {What: "Pod web-1 restarted"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn1": c.change}), c.found)
			var answers []string
			for _, a := range got.Answers {
				answers = append(answers, string(a.Verdict)+" "+a.Reason)
			}
			if s := strings.Join(answers, ", "); s != c.want {
				t.Errorf("%s; want %s", s, c.want)
			}
			if strings.Contains(c.want, "Fail") != (got.Verdict == report.Fail) {
				t.Errorf("verdict %s", got.Verdict)
			}
		})
	}
}

func unchanged(*report.Result) {}

func TestSilentTargets(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	silent := SilentTargets(rp, outcometest.From(rp,
		map[string]controllertest.Change{"kn1": failsBothChecks("10.244.2.5:8080"),
			"kn3": controllertest.Dropped("10.244.1.5:8080")}))
	if len(silent) != 1 || !silent[1] {
		t.Errorf("silent %v", silent)
	}
	if silent = SilentTargets(rp, outcometest.From(rp, nil)); len(silent) != 0 {
		t.Errorf("all pass, and yet silent %v", silent)
	}
}

func TestVerdictsWithoutAReason(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2"})
	outcomes := outcometest.From(rp, map[string]controllertest.Change{"kn1": controllertest.Dropped()})
	outcomes[0].Summary.Groups = nil // Encode drops groups that do not fit
	got := Build(rp, outcomes, target.Rechecked{})
	if got.Verdict != report.Fail || len(got.Answers) != 1 || got.Answers[0].Reason != v1alpha1.ReasonReportTooLong {
		t.Errorf("%s: %+v", got.Verdict, got.Answers)
	}
	open := controllertest.Passing(&rp.Plan, "kn1")
	open.Results = open.Results[:1]
	unanswered := Build(rp, []probepod.Outcome{outcometest.Decode(rp, "kn1", report.Summarize(open, &rp.Plan).Encode())},
		target.Rechecked{})
	if unanswered.Verdict != report.Inconclusive || unanswered.Answers[0].Reason != v1alpha1.ReasonReportMissing {
		t.Errorf("a question without an answer: %s, %+v", unanswered.Verdict, unanswered.Answers)
	}
}

func TestReasonFitsTheSchema(t *testing.T) {
	long := report.Reason("R" + strings.Repeat("x", 62)) // as long as a report may have it
	rp := plantest.Example([]string{"kn1"}, []string{"kn2"})
	got := Build(rp, outcometest.From(rp, map[string]controllertest.Change{"kn1": controllertest.Failing("Handshake",
		report.Fail, long)}), target.Rechecked{})
	if n := len(got.Answers[0].Reason); n != v1alpha1.MaxFindingReason {
		t.Errorf("reason of %d characters", n)
	}
}
