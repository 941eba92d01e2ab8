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

// noReport is the check of an Answer for a source without a report. It stands for all checks.
const noReport = -1

// Answer is one check of one pair that did not pass.
type Answer struct {
	Pair
	Check   int // index into plan.Checks(), or noReport
	Verdict report.Verdict
	Reason  string
	Rule    string
	Message string
	Detail  *report.Group // flows, evidence and alpha of the pairs of a report's group; nil if unknown
}

// Aggregate is the result of a run.
type Aggregate struct {
	RunPlan  *runplan.RunPlan
	Outcomes []probepod.Outcome
	Pairs    v1alpha1.PairCounts
	Answers  []Answer // what did not pass, by source, target and check
	Verdict  report.Verdict
	Reported int      // sources
	Notes    []string // about pairs that passed

	Left        int64 // connections that their targets showed to hold still
	Unconfirmed int64 // connections of which nothing showed that
}

// Build aggregates the outcomes of a run whose outcomes are all final.
func Build(rp *runplan.RunPlan, outcomes []probepod.Outcome, rechecked target.Rechecked) *Aggregate {
	outcomes = withoutMoved(rp, rechecked, outcomes)
	agg := &Aggregate{RunPlan: rp, Outcomes: outcomes}
	offNode := report.Pass
	for _, o := range outcomes {
		if o.State == probepod.Reported {
			agg.Reported++
			agg.addRemains(o.Summary)
		}
		for position, target := range rp.Plan.Sources[o.Source] {
			answers := applyRecheck(rp, rechecked, answersOf(rp, o, position, target))
			verdict := verdictOf(answers, rp.Plan.Asked(o.Source, target))
			agg.count(verdict, rp.SameNode(o.Source, target))
			if !rp.SameNode(o.Source, target) {
				offNode = report.Worst(offNode, verdict)
			}
			agg.Answers = append(agg.Answers, answers...)
		}
	}
	agg.Verdict, agg.Notes = agg.verdict(offNode),
		firstNotes(agg.overlayNote(), agg.remainsNote(), lossNote(rp, outcomes), clusterIPNote(rp, outcomes),
			notes(rp, outcomes))
	return agg
}

// verdictOf is the verdict of a pair that was asked so many checks. What could not be asked of the target counts only
// if nothing else was.
func verdictOf(answers []Answer, asked int) report.Verdict {
	verdict, notAsked := report.Pass, 0
	for _, a := range answers {
		if a.Reason == string(report.PeerZeroNotAsked) {
			notAsked++
		} else {
			verdict = report.Worst(verdict, a.Verdict)
		}
	}
	if notAsked > 0 && notAsked == asked {
		return report.Inconclusive
	}
	return verdict
}

// verdict is the run's verdict: Fail if any pair failed, Pass if there are pairs on two nodes and all of them passed.
func (agg *Aggregate) verdict(offNode report.Verdict) report.Verdict {
	switch {
	case agg.Pairs.Fail > 0:
		return report.Fail
	case agg.Pairs.SameNode == agg.Pairs.Planned || offNode != report.Pass:
		return report.Inconclusive
	}
	return report.Pass
}

func (agg *Aggregate) count(v report.Verdict, sameNode bool) {
	agg.Pairs.Planned++
	switch v {
	case report.Pass:
		agg.Pairs.Pass++
	case report.Fail:
		agg.Pairs.Fail++
	default:
		agg.Pairs.Inconclusive++
	}
	if sameNode {
		agg.Pairs.SameNode++
	}
}

// answersOf lists the checks of one pair that did not pass.
func answersOf(rp *runplan.RunPlan, o probepod.Outcome, position, target int) []Answer {
	pair := Pair{o.Source, target}
	if o.State != probepod.Reported {
		return []Answer{{Pair: pair, Check: noReport, Verdict: report.Inconclusive, Reason: o.Reason, Message: o.Message}}
	}
	var out []Answer
	for check, c := range rp.Plan.Checks() {
		verdict := o.Summary.Verdict(position, check)
		if verdict == report.Pass || !rp.Plan.Asks(o.Source, c, target) {
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
			a.Reason, a.Rule, a.Message, a.Detail = cutReason(string(g.Reason)), g.Rule, cmp.Or(g.Message, seeLog), g
			return
		}
	}
	a.Reason = v1alpha1.ReasonReportTooLong
	a.Message = "the short report had no room for the reason; the log of the probe pod has it"
}

// seeLog replaces a message that the short report had no room for.
const seeLog = "the log of the probe pod says more"

// cutReason cuts a reason of the prober to the length that the schema allows.
func cutReason(reason string) string { return reason[:min(len(reason), v1alpha1.MaxFindingReason)] }
