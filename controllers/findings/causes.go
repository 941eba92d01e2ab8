package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// cause is a cluster of pairs that did not pass for one cause, and the answers that say so. All variants of a scenario
// that the same pairs lose for the same reason are in one.
type cause struct {
	Location
	checks  []int
	answers []Answer
}

// causeKey is what answers of the same group have in common.
type causeKey struct {
	check        int
	verdict      report.Verdict
	reason, rule string
}

// causes puts the answers of each cause into clusters, and then variants together.
func (t *Aggregate) causes() []cause {
	var out []cause
	for _, answers := range t.byCause() {
		for _, c := range t.locations(answers) {
			members := make(map[Pair]bool, len(c.Pairs))
			for _, p := range c.Pairs {
				members[p] = true
			}
			mine := slices.DeleteFunc(slices.Clone(answers), func(a Answer) bool { return !members[a.Pair] })
			out = append(out, cause{Location: c, checks: []int{mine[0].Check}, answers: mine})
		}
	}
	return t.joined(out)
}

// byCause are the answers by cause, in the order of the plan's checks.
func (t *Aggregate) byCause() [][]Answer {
	groups := make(map[causeKey][]Answer)
	var order []causeKey
	for _, a := range t.Answers {
		k := causeKey{a.Check, a.Verdict, a.Reason, a.Rule}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], a)
	}
	slices.SortStableFunc(order, func(a, b causeKey) int {
		return cmp.Or(cmp.Compare(a.check, b.check), cmp.Compare(a.verdict, b.verdict), cmp.Compare(a.reason, b.reason),
			cmp.Compare(a.rule, b.rule))
	})
	out := make([][]Answer, len(order))
	for i, k := range order {
		out[i] = groups[k]
	}
	return out
}

// locations are the largest clusters of one cause, as many as the status has room for.
func (t *Aggregate) locations(answers []Answer) []Location {
	var affected []Pair
	for _, a := range answers {
		affected = append(affected, a.Pair)
	}
	check := answers[0].Check
	all := t.asked(affected, check)
	var out []Location
	switch {
	case check == noReport: // whatever the source would have probed, it is the source that is missing
		out = localize(all, affected, 1, t.nodeOf)
	case answers[0].Verdict == report.Fail && isAcceptQueue(t.RunPlan, check):
		out = localizeListeners(all, affected)
	default:
		out = localize(all, affected, 2, t.nodeOf)
	}
	return out[:min(len(out), v1alpha1.MaxFindings)]
}

// asked are the pairs that might have been affected: where only pairs across the network are, those on one node
// would only blur the picture.
func (t *Aggregate) asked(affected []Pair, check int) []Pair {
	sameNode := slices.ContainsFunc(affected, t.sameNode)
	checks := t.RunPlan.Plan.Checks()
	var out []Pair
	for _, o := range t.Outcomes {
		for _, target := range t.RunPlan.Plan.Sources[o.Source] {
			p := Pair{o.Source, target}
			if (sameNode || !t.sameNode(p)) && (check == noReport || t.RunPlan.Plan.Asks(o.Source, checks[check], target)) {
				out = append(out, p)
			}
		}
	}
	return out
}

// joined puts those together that differ in the variant alone.
func (t *Aggregate) joined(all []cause) []cause {
	first := make(map[string]int)
	var out []cause
	for _, b := range all {
		key := t.key(b)
		i, known := first[key]
		if !known {
			first[key] = len(out)
			out = append(out, b)
			continue
		}
		out[i].checks = append(out[i].checks, b.checks...)
		out[i].answers = append(out[i].answers, b.answers...)
	}
	return out
}

func (t *Aggregate) key(b cause) string {
	scenario := noReport
	if check := b.checks[0]; check != noReport {
		scenario = t.RunPlan.Plan.Checks()[check].Scenario
	}
	a := b.answers[0]
	pairs := slices.SortedFunc(slices.Values(b.Pairs), func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return fmt.Sprint(scenario, b.Scope, a.Verdict, a.Reason, a.Rule, pairs)
}

// aside names the rule and the scenario's variants that all of the pairs let pass: what is not lost says as much of the
// device as what is.
func (t *Aggregate) aside(b cause) string {
	var said []string
	if rule := b.answers[0].Rule; rule != "" {
		said = append(said, "rule "+rule)
	}
	if names := t.passed(b); len(names) > 0 && b.answers[0].Verdict == report.Fail {
		said = append(said, text.Several(names)+" pass")
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, "; ") + ")"
}

func (t *Aggregate) passed(b cause) []string {
	checks := t.RunPlan.Plan.Checks()
	failed := make(map[int]bool)
	member := make(map[Pair]bool)
	for _, p := range b.Pairs {
		member[p] = true
	}
	for _, a := range t.Answers {
		if member[a.Pair] {
			failed[a.Check] = true
		}
	}
	var others []int
	for i, c := range checks {
		if c.Scenario == checks[b.checks[0]].Scenario && !failed[i] {
			others = append(others, i)
		}
	}
	return variantNames(checks, others)
}
