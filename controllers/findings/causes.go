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

// cause is a set of pairs that did not pass for the same reason, and their answers. All variants of a scenario that
// fail for the same pairs and reason are in one cause.
type cause struct {
	Location
	checks  []int
	answers []Answer
}

// causeKey is what answers with the same cause have in common.
type causeKey struct {
	check        int
	verdict      report.Verdict
	reason, rule string
}

// causes groups the answers by cause and location, and then merges variants.
func (agg *Aggregate) causes() []cause {
	var out []cause
	for _, answers := range agg.byCause() {
		for _, loc := range agg.locations(answers) {
			members := make(map[Pair]bool, len(loc.Pairs))
			for _, p := range loc.Pairs {
				members[p] = true
			}
			mine := slices.DeleteFunc(slices.Clone(answers), func(a Answer) bool { return !members[a.Pair] })
			out = append(out, cause{Location: loc, checks: []int{mine[0].Check}, answers: mine})
		}
	}
	return agg.mergeVariants(out)
}

// byCause groups the answers by cause, in the order of the plan's checks.
func (agg *Aggregate) byCause() [][]Answer {
	groups := make(map[causeKey][]Answer)
	var order []causeKey
	for _, a := range agg.Answers {
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

// locations are the largest locations of one cause, as many as the status has room for.
func (agg *Aggregate) locations(answers []Answer) []Location {
	var affected []Pair
	for _, a := range answers {
		affected = append(affected, a.Pair)
	}
	check := answers[0].Check
	all := agg.askedPairs(affected, check)
	var out []Location
	switch {
	case check == noReport: // the source is missing, whatever it would have probed
		out = localize(all, affected, 1, agg.nodeOf)
	case answers[0].Verdict == report.Fail && isAcceptQueue(agg.RunPlan, check):
		out = localizeListeners(all, affected)
	default:
		out = localize(all, affected, 2, agg.nodeOf)
	}
	return out[:min(len(out), v1alpha1.MaxFindings)]
}

// askedPairs are the pairs that might have been affected. If all affected pairs are on two nodes, pairs on one node
// are left out: they did not cross the network.
func (agg *Aggregate) askedPairs(affected []Pair, check int) []Pair {
	sameNode := slices.ContainsFunc(affected, agg.sameNode)
	checks := agg.RunPlan.Plan.Checks()
	var out []Pair
	for _, o := range agg.Outcomes {
		for _, target := range agg.RunPlan.Plan.Sources[o.Source] {
			p := Pair{o.Source, target}
			if (sameNode || !agg.sameNode(p)) && (check == noReport || agg.RunPlan.Plan.Asks(o.Source, checks[check], target)) {
				out = append(out, p)
			}
		}
	}
	return out
}

// mergeVariants merges the causes that differ in the variant only.
func (agg *Aggregate) mergeVariants(all []cause) []cause {
	first := make(map[string]int)
	var out []cause
	for _, c := range all {
		key := agg.key(c)
		i, known := first[key]
		if !known {
			first[key] = len(out)
			out = append(out, c)
			continue
		}
		out[i].checks = append(out[i].checks, c.checks...)
		out[i].answers = append(out[i].answers, c.answers...)
	}
	return out
}

func (agg *Aggregate) key(c cause) string {
	scenario := noReport
	if check := c.checks[0]; check != noReport {
		scenario = agg.RunPlan.Plan.Checks()[check].Scenario
	}
	a := c.answers[0]
	pairs := slices.SortedFunc(slices.Values(c.Pairs), func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return fmt.Sprint(scenario, c.Scope, a.Verdict, a.Reason, a.Rule, pairs)
}

// ruleAndPassed names the rule, and the scenario's variants that passed for all of the pairs. What a device forwards
// tells as much about it as what it drops.
func (agg *Aggregate) ruleAndPassed(c cause) string {
	var parts []string
	if rule := c.answers[0].Rule; rule != "" {
		parts = append(parts, "rule "+rule)
	}
	if names := agg.passed(c); len(names) > 0 && c.answers[0].Verdict == report.Fail {
		parts = append(parts, text.Several(names)+" pass")
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

func (agg *Aggregate) passed(c cause) []string {
	checks := agg.RunPlan.Plan.Checks()
	failed := make(map[int]bool)
	member := make(map[Pair]bool)
	for _, p := range c.Pairs {
		member[p] = true
	}
	for _, a := range agg.Answers {
		if member[a.Pair] {
			failed[a.Check] = true
		}
	}
	var others []int
	for i, check := range checks {
		if check.Scenario == checks[c.checks[0]].Scenario && !failed[i] {
			others = append(others, i)
		}
	}
	return variantNames(checks, others)
}
