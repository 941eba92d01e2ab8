package controllers

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestTally(t *testing.T) {
	lost := func(source string) func([]Outcome) []Outcome {
		return func(o []Outcome) []Outcome {
			for i := range o {
				if o[i].Source == source {
					o[i] = Outcome{Source: source, State: Lost, Reason: v1alpha1.ReasonImagePull, Message: "no image"}
				}
			}
			return o
		}
	}
	for name, c := range map[string]struct {
		hosts   []string
		change  map[string]verdicts
		outcome func([]Outcome) []Outcome
		verdict report.Verdict
		pairs   v1alpha1.PairCounts
	}{
		"all pass":              {three, nil, nil, report.Pass, v1alpha1.PairCounts{Planned: 9, Pass: 9, SameNode: 3}},
		"one bad node":          {three, map[string]verdicts{"kn2": dropped()}, nil, report.Fail, v1alpha1.PairCounts{Planned: 9, Pass: 6, Fail: 3, SameNode: 3}},
		"both checks, one pair": {three, map[string]verdicts{"kn2": both("10.244.1.5:8080")}, nil, report.Fail, v1alpha1.PairCounts{Planned: 9, Pass: 8, Fail: 1, SameNode: 3}},
		"one source missing":    {three, nil, lost("kn3"), report.Inconclusive, v1alpha1.PairCounts{Planned: 9, Pass: 6, Inconclusive: 3, SameNode: 3}},
		"fail beats missing":    {three, map[string]verdicts{"kn2": dropped()}, lost("kn3"), report.Fail, v1alpha1.PairCounts{Planned: 9, Pass: 3, Fail: 3, Inconclusive: 3, SameNode: 3}},
		"inconclusive across":   {three, map[string]verdicts{"kn1": failing("SequenceWrap", report.Inconclusive, report.PathLossy, "10.244.2.5:8080")}, nil, report.Inconclusive, v1alpha1.PairCounts{Planned: 9, Pass: 8, Inconclusive: 1, SameNode: 3}},
		"inconclusive at home":  {three, map[string]verdicts{"kn1": failing("SequenceWrap", report.Inconclusive, report.PathLossy, "10.244.1.5:8080")}, nil, report.Pass, v1alpha1.PairCounts{Planned: 9, Pass: 8, Inconclusive: 1, SameNode: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			f := exampleFrozen(three, c.hosts)
			outcomes := outcomesOf(f, c.change)
			if c.outcome != nil {
				outcomes = c.outcome(outcomes)
			}
			got := tally(f, outcomes, Rechecked{})
			if got.Verdict != c.verdict || got.Pairs != c.pairs {
				t.Errorf("%s, %+v; want %s, %+v", got.Verdict, got.Pairs, c.verdict, c.pairs)
			}
		})
	}
}

func both(target string) verdicts {
	return func(r *report.Result) {
		failing("Handshake", report.Fail, report.Filtered, target)(r)
		failing("SequenceWrap", report.Inconclusive, report.PathDown, target)(r)
	}
}

func TestOneNodeAloneNeverPasses(t *testing.T) {
	f := exampleFrozen([]string{"kn1"}, []string{"kn1"})
	got := tally(f, outcomesOf(f, nil), Rechecked{})
	if got.Verdict != report.Inconclusive || got.Pairs.SameNode != 1 || got.Pairs.Pass != 1 {
		t.Errorf("%s, %+v; want Inconclusive: no segment crossed the network", got.Verdict, got.Pairs)
	}
	bad := tally(f, outcomesOf(f, map[string]verdicts{"kn1": dropped()}), Rechecked{})
	if bad.Verdict != report.Fail {
		t.Errorf("%s; want Fail: what fails on one node fails", bad.Verdict)
	}
}

func TestAmendments(t *testing.T) {
	f := exampleFrozen([]string{"kn1"}, []string{"kn2", "kn3"})
	web1, web2 := "10.244.1.5:8080", "10.244.2.5:8080"
	for name, c := range map[string]struct {
		change verdicts
		amend  Rechecked
		want   string
	}{
		"a Fail of a changed target":      {dropped(web1), Rechecked{Changed: map[int]Change{0: {What: "Pod web-1 restarted"}}}, "Inconclusive TargetChanged"},
		"a Fail of another target stands": {dropped(web2), Rechecked{Changed: map[int]Change{0: {What: "Pod web-1 restarted"}}}, "Fail SequenceZeroDropped"},
		"silence behind a policy": {both(web1), Rechecked{Policy: map[int]string{0: "deny"}},
			"Inconclusive PolicyMayApply, Inconclusive PolicyMayApply"},
		"silence without one":                   {both(web1), Rechecked{}, "Fail Filtered, Inconclusive PathDown"},
		"a drop behind a policy stands":         {dropped(web1), Rechecked{Policy: map[int]string{0: "deny"}}, "Fail SequenceZeroDropped"},
		"changed and shielded: it changed":      {both(web1), Rechecked{Changed: map[int]Change{0: {What: "Pod web-1 is gone", Moved: true}}, Policy: map[int]string{0: "deny"}}, "Inconclusive TargetChanged, Inconclusive PolicyMayApply"},
		"a Pass of a pod that moved":            {nothing, Rechecked{Changed: map[int]Change{0: {What: "Pod web-1 is gone", Moved: true}}}, "Inconclusive TargetChanged"},
		"a Pass of a pod that restarted stands": {nothing, Rechecked{Changed: map[int]Change{0: {What: "Pod web-1 restarted"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := tally(f, outcomesOf(f, map[string]verdicts{"kn1": c.change}), c.amend)
			var said []string
			for _, a := range got.Answers {
				said = append(said, string(a.Verdict)+" "+a.Reason)
			}
			if s := strings.Join(said, ", "); s != c.want {
				t.Errorf("%s; want %s", s, c.want)
			}
			if strings.Contains(c.want, "Fail") != (got.Verdict == report.Fail) {
				t.Errorf("verdict %s", got.Verdict)
			}
		})
	}
}

func nothing(*report.Result) {}

func TestSilentTargets(t *testing.T) {
	f := exampleFrozen(three, three)
	silent := silentTargets(f, outcomesOf(f, map[string]verdicts{"kn1": both("10.244.2.5:8080"), "kn3": dropped("10.244.1.5:8080")}))
	if len(silent) != 1 || !silent[1] {
		t.Errorf("silent %v", silent)
	}
	if silent = silentTargets(f, outcomesOf(f, nil)); len(silent) != 0 {
		t.Errorf("all pass, and yet silent %v", silent)
	}
}

func TestVerdictsWithoutAReason(t *testing.T) {
	f := exampleFrozen([]string{"kn1"}, []string{"kn2"})
	outcomes := outcomesOf(f, map[string]verdicts{"kn1": dropped()})
	outcomes[0].Summary.Groups = nil // what Encode does to groups that do not fit
	got := tally(f, outcomes, Rechecked{})
	if got.Verdict != report.Fail || len(got.Answers) != 1 || got.Answers[0].Reason != v1alpha1.ReasonReportTooLong {
		t.Errorf("%s: %+v", got.Verdict, got.Answers)
	}
	open := passing(&f.Plan, "kn1")
	open.Results = open.Results[:1]
	unanswered := tally(f, []Outcome{decoded(f, "kn1", report.Summarize(open, &f.Plan).Encode())}, Rechecked{})
	if unanswered.Verdict != report.Inconclusive || unanswered.Answers[0].Reason != v1alpha1.ReasonReportMissing {
		t.Errorf("a question without an answer: %s, %+v", unanswered.Verdict, unanswered.Answers)
	}
}

func TestReasonFitsTheSchema(t *testing.T) {
	long := report.Reason("R" + strings.Repeat("x", 62)) // as long as a report may have it
	f := exampleFrozen([]string{"kn1"}, []string{"kn2"})
	got := tally(f, outcomesOf(f, map[string]verdicts{"kn1": failing("Handshake", report.Fail, long)}), Rechecked{})
	if n := len(got.Answers[0].Reason); n != v1alpha1.MaxFindingReason {
		t.Errorf("reason of %d characters", n)
	}
}
