package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// findings groups what did not pass: one bad node is one entry. Worst first, at most MaxFindings. Those that before
// has too keep the time when they were first seen.
func (t *Tally) findings(before []v1alpha1.Finding, now metav1.Time) []v1alpha1.Finding {
	var out []v1alpha1.Finding
	for _, answers := range t.causes() {
		affected := pairsOf(answers)
		smallest := 2
		if answers[0].Check == noReport {
			smallest = 1 // whatever the source would have probed, it is the source that is missing
		}
		largest := clusters(t.asked(affected), affected, smallest, t.nodeOf)
		for _, c := range largest[:min(len(largest), v1alpha1.MaxFindings)] {
			out = append(out, t.finding(c, answers))
		}
	}
	slices.SortStableFunc(out, func(a, b v1alpha1.Finding) int {
		return cmp.Or(cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(b.Pairs, a.Pairs)) // "Fail" < "Inconclusive"
	})
	out = append(out[:min(len(out), v1alpha1.MaxFindings-1)], t.leftOut()...)
	for i := range out {
		out[i].FirstSeen, out[i].LastSeen = firstSeen(&out[i], before, now), now
	}
	return out
}

// cause is what answers of the same group have in common.
type cause struct {
	check        int
	verdict      report.Verdict
	reason, rule string
}

// causes are the answers by cause, in the order of the plan's checks.
func (t *Tally) causes() [][]Answer {
	groups := make(map[cause][]Answer)
	var order []cause
	for _, a := range t.Answers {
		k := cause{a.Check, a.Verdict, a.Reason, a.Rule}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], a)
	}
	slices.SortStableFunc(order, func(a, b cause) int {
		return cmp.Or(cmp.Compare(a.check, b.check), cmp.Compare(a.verdict, b.verdict), cmp.Compare(a.reason, b.reason), cmp.Compare(a.rule, b.rule))
	})
	out := make([][]Answer, len(order))
	for i, k := range order {
		out[i] = groups[k]
	}
	return out
}

func pairsOf(answers []Answer) []Pair {
	out := make([]Pair, len(answers))
	for i, a := range answers {
		out[i] = a.Pair
	}
	return out
}

// asked are the pairs that might have been affected: where only pairs across the network are, those on one node
// would only blur the picture.
func (t *Tally) asked(affected []Pair) []Pair {
	sameNode := slices.ContainsFunc(affected, t.sameNode)
	var out []Pair
	for _, o := range t.Outcomes {
		for _, target := range t.Frozen.Plan.Sources[o.Source] {
			if p := (Pair{o.Source, target}); sameNode || !t.sameNode(p) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (t *Tally) sameNode(p Pair) bool { return t.Frozen.sameNode(p.Source, p.Target) }

func (t *Tally) nodeOf(target int) string { return t.Frozen.Plan.Targets[target].Node }

// finding describes one cluster of the pairs behind answers, which have their cause in common.
func (t *Tally) finding(c Cluster, answers []Answer) v1alpha1.Finding {
	members := make(map[Pair]bool, len(c.Pairs))
	for _, p := range c.Pairs {
		members[p] = true
	}
	mine := slices.DeleteFunc(slices.Clone(answers), func(a Answer) bool { return !members[a.Pair] })
	first := mine[0]
	f := v1alpha1.Finding{
		Scope: c.Scope, Source: c.Source, Pairs: int32(len(c.Pairs)),
		Via:     string(v1alpha1.ViaPodIP),
		Family:  t.family(c.Pairs),
		Verdict: string(first.Verdict), Reason: first.Reason, Rule: cut(first.Rule, v1alpha1.MaxFindingRule),
		PathType: t.pathType(c.Pairs),
	}
	if first.Check != noReport {
		check := t.Frozen.Plan.Checks()[first.Check]
		f.Scenario, f.Variant, f.Name = check.Type, check.Variant, t.Frozen.Plan.Scenarios[check.Scenario].Name
	}
	if c.Scope == v1alpha1.ScopeTarget || c.Scope == v1alpha1.ScopePair {
		f.Target = t.Frozen.Plan.Targets[c.Target].AddrPort().String()
	}
	what := strings.TrimSpace(f.Scenario + " " + f.Variant)
	f.Message = cut(fmt.Sprintf("%s, %s: %s", t.extent(c), cmp.Or(what, f.Reason), first.Message), v1alpha1.MaxFindingMessage)
	detail(&f, mine)
	return f
}

// extent says for people how far a finding goes, behind its source and target.
func (t *Tally) extent(c Cluster) string {
	target := t.Frozen.Plan.Targets[c.Target]
	switch c.Scope {
	case v1alpha1.ScopeAll:
		return fmt.Sprintf("%d of %d pairs", len(c.Pairs), c.Of)
	case v1alpha1.ScopeTopology:
		return fmt.Sprintf("%d of %d pairs from it and to its pods", len(c.Pairs), c.Of)
	case v1alpha1.ScopeSource:
		return fmt.Sprintf("to %d of %d endpoints", len(c.Pairs), c.Of)
	case v1alpha1.ScopeTarget:
		return fmt.Sprintf("(pod %s on node %s) from %d of %d nodes", target.Name, target.Node, len(c.Pairs), c.Of)
	}
	return fmt.Sprintf("(pod %s on node %s)", target.Name, target.Node)
}

// detail adds flows, alpha, stall and evidence. Flows are left out where a group of the reports has pairs that are
// not in this finding: its sums cannot be told apart.
func detail(f *v1alpha1.Finding, answers []Answer) {
	seen := make(map[*report.Group]int)
	for _, a := range answers {
		if a.Detail != nil {
			seen[a.Detail]++
		}
	}
	whole, flows, alpha := len(seen) > 0, v1alpha1.FlowCounts{}, 0.0
	for _, a := range answers {
		g := a.Detail
		if g == nil || seen[g] == 0 {
			continue
		}
		whole = whole && seen[g] == len(g.Positions())
		seen[g] = 0 // counted
		flows.Tried += int64(g.Flows.Tried)
		flows.Pass += int64(g.Flows.Pass)
		flows.Fail += int64(g.Flows.Fail)
		flows.Inconclusive += int64(g.Flows.Inconclusive)
		alpha, f.StallMillis = max(alpha, g.Alpha), max(f.StallMillis, g.StallMillis)
		if len(f.Evidence) == 0 {
			f.Evidence = evidence(g.Evidence)
		}
	}
	if whole {
		f.Flows = &flows
	}
	if f.Verdict == string(report.Fail) && alpha > 0 {
		f.Alpha = strings.Replace(strconv.FormatFloat(alpha, 'g', 2, 64), "e-0", "e-", 1)
	}
}

func evidence(lines []string) []string {
	var out []string
	for _, line := range lines[:min(len(lines), v1alpha1.MaxEvidence)] {
		out = append(out, cut(line, v1alpha1.MaxEvidenceLine))
	}
	return out
}

// family is that of all the pairs, or empty.
func (t *Tally) family(pairs []Pair) string {
	var v4, v6 bool
	for _, p := range pairs {
		is4 := t.Frozen.Plan.Targets[p.Target].Address.Is4()
		v4, v6 = v4 || is4, v6 || !is4
	}
	switch {
	case v4 && v6:
		return ""
	case v4:
		return "IPv4"
	}
	return "IPv6"
}

// pathType is SameNode if all pairs are, Unknown if none is, and empty otherwise. Whether an overlay carries the
// others is not visible from here.
func (t *Tally) pathType(pairs []Pair) string {
	same := 0
	for _, p := range pairs {
		if t.sameNode(p) {
			same++
		}
	}
	switch same {
	case len(pairs):
		return string(report.SameNode)
	case 0:
		return string(report.Unknown)
	}
	return ""
}

// leftOut is the finding that endpoints had to be left out, if any had to.
func (t *Tally) leftOut() []v1alpha1.Finding {
	list := t.Frozen.LeftOut
	if len(list) == 0 {
		return nil
	}
	f := v1alpha1.Finding{
		Scope: v1alpha1.ScopeAll, Pairs: int32(len(list) * max(1, len(t.Outcomes))), Via: string(v1alpha1.ViaPodIP),
		Verdict: string(report.Inconclusive), Reason: v1alpha1.ReasonEndpointsRefused,
		Message: cut(leftOutMessage(list), v1alpha1.MaxFindingMessage),
	}
	if len(list) == 1 {
		f.Scope, f.Target = v1alpha1.ScopeTarget, list[0].Target
	}
	return []v1alpha1.Finding{f}
}

// leftOutMessage says which endpoints were not probed, and why.
func leftOutMessage(list []LeftOut) string {
	said := make([]string, len(list))
	for i, l := range list {
		said[i] = l.Target + ": " + l.Why
	}
	return fmt.Sprintf("%d not probed: %s", len(list), listed(said))
}

// firstSeen is when before has the same finding, or now.
func firstSeen(f *v1alpha1.Finding, before []v1alpha1.Finding, now metav1.Time) metav1.Time {
	type identity struct{ scope, source, target, name, scenario, variant, verdict, reason string }
	of := func(f *v1alpha1.Finding) identity {
		return identity{f.Scope, f.Source, f.Target, f.Name, f.Scenario, f.Variant, f.Verdict, f.Reason}
	}
	for i := range before {
		if of(&before[i]) == of(f) {
			return before[i].FirstSeen
		}
	}
	return now
}
