package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
)

// Findings groups what did not pass: one bad node is one entry. Worst first, at most MaxFindings. Those that before
// has too keep the time when they were first seen.
func (t *Aggregate) Findings(before []v1alpha1.Finding, now metav1.Time) []v1alpha1.Finding {
	var out []v1alpha1.Finding
	for _, b := range t.causes() {
		out = append(out, t.finding(b))
	}
	slices.SortStableFunc(out, func(a, b v1alpha1.Finding) int {
		return cmp.Or(report.Verdict(b.Verdict).Compare(report.Verdict(a.Verdict)), cmp.Compare(b.Pairs, a.Pairs))
	})
	out = append(out[:min(len(out), v1alpha1.MaxFindings-1)], t.refusedEndpoints()...)
	for i := range out {
		out[i].FirstSeen, out[i].LastSeen = firstSeen(&out[i], before, now), now
	}
	return out
}

func (t *Aggregate) sameNode(p Pair) bool { return t.RunPlan.SameNode(p.Source, p.Target) }

func (t *Aggregate) nodeOf(target int) string { return t.RunPlan.Plan.Targets[target].Node }

// finding describes one cluster of pairs, which have their cause in common.
func (t *Aggregate) finding(b cause) v1alpha1.Finding {
	c, first := b.Location, b.answers[0]
	f := v1alpha1.Finding{
		Scope: c.Scope, Source: c.Source, Pairs: int32(len(c.Pairs)),
		Via:     t.via(c.Pairs),
		Family:  t.family(c.Pairs),
		Verdict: string(first.Verdict), Reason: first.Reason, Rule: text.Cut(first.Rule, v1alpha1.MaxFindingRule),
		PathType: t.pathType(c.Pairs), RuleKnownFrom: text.Cut(rule.KnownFrom(first.Rule), v1alpha1.MaxRuleKnownFrom),
	}
	what := first.Reason
	if first.Check != noReport {
		checks := t.RunPlan.Plan.Checks()
		f.Scenario, f.Variants = checks[first.Check].Type, variantNames(checks, b.checks)
		f.Name = t.RunPlan.Plan.Scenarios[checks[first.Check].Scenario].Name
		what = title(checks, b.checks, &t.RunPlan.Plan) + t.aside(b)
	}
	if c.Scope == v1alpha1.ScopeTarget || c.Scope == v1alpha1.ScopePair {
		f.Target = t.RunPlan.Plan.Targets[c.Target].AddrPort().String()
	}
	f.Message = text.Cut(fmt.Sprintf("%s, %s: %s", t.extent(c), what, first.Message), v1alpha1.MaxFindingMessage)
	detail(&f, b.answers)
	return f
}

// extent says for people how far a finding goes, behind its source and target.
func (t *Aggregate) extent(c Location) string {
	target := t.RunPlan.Plan.Targets[c.Target]
	switch c.Scope {
	case v1alpha1.ScopeAll:
		return fmt.Sprintf("%d of %d pairs", len(c.Pairs), c.Of)
	case v1alpha1.ScopeTopology:
		return fmt.Sprintf("%d of %d pairs from it and to its pods", len(c.Pairs), c.Of)
	case v1alpha1.ScopeSource:
		return fmt.Sprintf("to %d of %d endpoints", len(c.Pairs), c.Of)
	case v1alpha1.ScopeTarget:
		return fmt.Sprintf("(%s) from %d of %d nodes", behind(target), len(c.Pairs), c.Of)
	}
	return fmt.Sprintf("(%s)", behind(target))
}

// behind says who answers for a target.
func behind(t plan.Target) string {
	switch v1alpha1.Via(t.Via) {
	case v1alpha1.ViaClusterIP:
		return "the ClusterIP"
	case v1alpha1.ViaAddress:
		return "target.address"
	}
	return fmt.Sprintf("pod %s on node %s", t.Name, t.Node)
}

// via is that of all the pairs, or empty.
func (t *Aggregate) via(pairs []Pair) string {
	via := t.RunPlan.Plan.Targets[pairs[0].Target].Via
	for _, p := range pairs {
		if t.RunPlan.Plan.Targets[p.Target].Via != via {
			return ""
		}
	}
	return via
}

// family is that of all the pairs, or empty.
func (t *Aggregate) family(pairs []Pair) string {
	var v4, v6 bool
	for _, p := range pairs {
		is4 := t.RunPlan.Plan.Targets[p.Target].Address.Is4()
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

// refusedEndpoints is the finding that endpoints were refused, if any were.
func (t *Aggregate) refusedEndpoints() []v1alpha1.Finding {
	list := t.RunPlan.Refused
	if len(list) == 0 {
		return nil
	}
	f := v1alpha1.Finding{
		Scope: v1alpha1.ScopeAll, Pairs: int32(len(list) * max(1, len(t.Outcomes))), Via: onlyVia(t.RunPlan),
		Verdict: string(report.Inconclusive), Reason: v1alpha1.ReasonEndpointsRefused,
		Message: text.Cut(target.RefusedMessage(list), v1alpha1.MaxFindingMessage),
	}
	if len(list) == 1 {
		f.Scope, f.Target = v1alpha1.ScopeTarget, list[0].Target
	}
	return []v1alpha1.Finding{f}
}

// onlyVia is the one way to the endpoints that the spec asks for, or empty.
func onlyVia(f *runplan.RunPlan) string {
	if s := f.Target.Service; s != nil && len(s.Via) == 1 {
		return string(s.Via[0])
	}
	return ""
}

// firstSeen is when before has the same finding, or now.
func firstSeen(f *v1alpha1.Finding, before []v1alpha1.Finding, now metav1.Time) metav1.Time {
	type identity struct{ scope, source, target, name, scenario, variants, verdict, reason string }
	of := func(f *v1alpha1.Finding) identity {
		return identity{f.Scope, f.Source, f.Target, f.Name, f.Scenario, strings.Join(f.Variants, ","), f.Verdict, f.Reason}
	}
	for i := range before {
		if of(&before[i]) == of(f) {
			return before[i].FirstSeen
		}
	}
	return now
}
