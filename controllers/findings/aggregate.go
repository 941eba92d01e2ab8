package findings

import (
	"cmp"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Pair is one source and the index of one target in the plan.
type Pair struct {
	Source string
	Target int
}

// noReport is the check of an Answer that stands for all checks of a source without a report.
const noReport = -1

// Answer is one check of one pair that did not pass.
type Answer struct {
	Pair
	Check   int // index into plan.Checks(), or noReport
	Verdict report.Verdict
	Reason  string
	Rule    string
	Message string
	Detail  *report.Group // flows, evidence and alpha of all pairs in it; nil if there are none
}

// Aggregate is what a run came to.
type Aggregate struct {
	RunPlan  *runplan.RunPlan
	Outcomes []probepod.Outcome
	Pairs    v1alpha1.PairCounts
	Answers  []Answer // what did not pass, by source, target and check
	Verdict  report.Verdict
	Reported int      // sources
	Notes    []string // what there is to say about what passed
}

// Build adds up the outcomes of a run whose sources are all settled.
func Build(f *runplan.RunPlan, outcomes []probepod.Outcome, m target.Rechecked) *Aggregate {
	t := &Aggregate{RunPlan: f, Outcomes: outcomes}
	offNode := report.Pass
	for _, o := range outcomes {
		if o.State == probepod.Reported {
			t.Reported++
		}
		for position, target := range f.Plan.Sources[o.Source] {
			answers := applyRecheck(f, m, answersOf(f, o, position, target))
			answers = applyRecheckToPass(f, m, o, position, answers)
			verdict := report.Pass
			for _, a := range answers {
				verdict = report.Worst(verdict, a.Verdict)
			}
			t.count(verdict, f.SameNode(o.Source, target))
			if !f.SameNode(o.Source, target) {
				offNode = report.Worst(offNode, verdict)
			}
			t.Answers = append(t.Answers, answers...)
		}
	}
	t.Verdict, t.Notes = t.sum(offNode), noted(t.tunnelled(), translated(f, outcomes), notes(f, outcomes))
	return t
}

// sum is the run's verdict: Fail if any pair failed, Pass if pairs on two nodes exist and all of them passed.
func (t *Aggregate) sum(offNode report.Verdict) report.Verdict {
	switch {
	case t.Pairs.Fail > 0:
		return report.Fail
	case t.Pairs.SameNode == t.Pairs.Planned || offNode != report.Pass:
		return report.Inconclusive
	}
	return report.Pass
}

func (t *Aggregate) count(v report.Verdict, sameNode bool) {
	t.Pairs.Planned++
	switch v {
	case report.Pass:
		t.Pairs.Pass++
	case report.Fail:
		t.Pairs.Fail++
	default:
		t.Pairs.Inconclusive++
	}
	if sameNode {
		t.Pairs.SameNode++
	}
}

// answersOf lists the checks of one pair that did not pass.
func answersOf(f *runplan.RunPlan, o probepod.Outcome, position, target int) []Answer {
	pair := Pair{o.Source, target}
	if o.State != probepod.Reported {
		return []Answer{{Pair: pair, Check: noReport, Verdict: report.Inconclusive, Reason: o.Reason, Message: o.Message}}
	}
	var out []Answer
	for check, c := range f.Plan.Checks() {
		verdict := o.Summary.Verdict(position, check)
		if verdict == report.Pass || !f.Plan.Asks(o.Source, c, target) {
			continue
		}
		a := Answer{Pair: pair, Check: check, Verdict: verdict}
		a.explain(o.Summary.Groups, position)
		out = append(out, a)
	}
	return out
}

func (a *Answer) explain(groups []report.Group, position int) {
	if a.Verdict == "" {
		a.Verdict, a.Reason, a.Message = report.Inconclusive, v1alpha1.ReasonReportMissing, "the report has no verdict"
		return
	}
	for i := range groups {
		g := &groups[i]
		if g.Verdict == a.Verdict && slices.Contains(g.Checks(), a.Check) && slices.Contains(g.Positions(), position) {
			a.Reason, a.Rule, a.Message, a.Detail = word(string(g.Reason)), g.Rule, cmp.Or(g.Message, seeLog), g
			return
		}
	}
	a.Reason = v1alpha1.ReasonReportTooLong
	a.Message = "the short report had no room for the reason; the log of the probe pod has it"
}

// seeLog stands for a message that the short report had no room for.
const seeLog = "the log of the probe pod says more"

// word is a reason of the prober as the schema of findings has room for it.
func word(reason string) string { return reason[:min(len(reason), v1alpha1.MaxFindingReason)] }
