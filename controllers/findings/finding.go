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

// Findings groups what did not pass, so that one bad node is one entry. The worst come first, at most MaxFindings.
// Findings that are also in before keep the time when they were first seen.
func (agg *Aggregate) Findings(before []v1alpha1.Finding, now metav1.Time) []v1alpha1.Finding {
	var out []v1alpha1.Finding
	for _, c := range agg.causes() {
		out = append(out, agg.finding(c))
	}
	slices.SortStableFunc(out, func(a, b v1alpha1.Finding) int {
		return cmp.Or(report.Verdict(b.Verdict).Compare(report.Verdict(a.Verdict)), cmp.Compare(b.Pairs, a.Pairs))
	})
	out = append(out[:min(len(out), v1alpha1.MaxFindings-1)], agg.refusedEndpoints()...)
	for i := range out {
		out[i].FirstSeen, out[i].LastSeen = firstSeen(&out[i], before, now), now
	}
	return out
}

func (agg *Aggregate) sameNode(p Pair) bool { return agg.RunPlan.SameNode(p.Source, p.Target) }

func (agg *Aggregate) nodeOf(target int) string { return agg.RunPlan.Plan.Targets[target].Node }

// finding describes the pairs that share one cause.
func (agg *Aggregate) finding(c cause) v1alpha1.Finding {
	loc, first := c.Location, c.answers[0]
	f := v1alpha1.Finding{
		Scope: loc.Scope, Source: loc.Source, Pairs: int32(len(loc.Pairs)),
		Via:     agg.via(loc.Pairs),
		Family:  agg.family(loc.Pairs),
		Verdict: string(first.Verdict), Reason: first.Reason, Rule: text.Cut(first.Rule, v1alpha1.MaxFindingRule),
		PathType: agg.pathType(loc.Pairs), RuleKnownFrom: text.Cut(rule.KnownFrom(first.Rule), v1alpha1.MaxRuleKnownFrom),
	}
	what := first.Reason
	if first.Check != noReport {
		checks := agg.RunPlan.Plan.Checks()
		f.Scenario, f.Variants = checks[first.Check].Type, variantNames(checks, c.checks)
		f.Name = agg.RunPlan.Plan.Scenarios[checks[first.Check].Scenario].Name
		what = title(checks, c.checks, &agg.RunPlan.Plan) + agg.ruleAndPassed(c)
	}
	if loc.Scope == v1alpha1.ScopeTarget || loc.Scope == v1alpha1.ScopePair {
		f.Target = agg.RunPlan.Plan.Targets[loc.Target].AddrPort().String()
	}
	f.Message = text.Cut(fmt.Sprintf("%s, %s: %s%s", agg.extent(loc), what, agg.saidOf(c), c.words()),
		v1alpha1.MaxFindingMessage)
	detail(&f, c.answers)
	return f
}

// saidOf says of which variant the words of a finding are, if it has others too: a report has one message for all
// variants that fail alike.
func (agg *Aggregate) saidOf(c cause) string {
	first := c.answers[0]
	if first.Detail == nil {
		return ""
	}
	spoken := agg.RunPlan.Plan.Checks()[first.Detail.Check]
	if spoken.Variant == "" || first.Message == seeLog || len(c.checks) == 1 && c.checks[0] == first.Detail.Check {
		return ""
	}
	return "of " + spoken.Variant + ": "
}

// words is the message of the first answer. Messages of the operator name pods, so there may be several.
func (c cause) words() string {
	if c.answers[0].Detail != nil {
		return c.answers[0].Message
	}
	var messages []string
	for _, a := range c.answers {
		if !slices.Contains(messages, a.Message) {
			messages = append(messages, a.Message)
		}
	}
	return text.Listed(messages)
}

// extent says in words how many pairs a finding has. It follows the finding's source and target in a message.
func (agg *Aggregate) extent(loc Location) string {
	target := agg.RunPlan.Plan.Targets[loc.Target]
	switch loc.Scope {
	case v1alpha1.ScopeAll:
		return fmt.Sprintf("%d of %d pairs", len(loc.Pairs), loc.Of)
	case v1alpha1.ScopeTopology:
		return fmt.Sprintf("%d of %d pairs from node %s and to its pods", len(loc.Pairs), loc.Of, loc.Source)
	case v1alpha1.ScopeSource:
		return fmt.Sprintf("to %d of %d endpoints", len(loc.Pairs), loc.Of)
	case v1alpha1.ScopeTarget:
		return fmt.Sprintf("(%s) from %d of %d nodes", behind(target), len(loc.Pairs), loc.Of)
	}
	return fmt.Sprintf("(%s)", behind(target))
}

// behind says what is behind a target.
func behind(t plan.Target) string {
	switch v1alpha1.Via(t.Via) {
	case v1alpha1.ViaClusterIP:
		return "the ClusterIP"
	case v1alpha1.ViaAddress:
		return "target.address"
	}
	return fmt.Sprintf("pod %s on node %s", t.Name, t.Node)
}

// via is how all of the pairs reach their targets, or empty if in several ways.
func (agg *Aggregate) via(pairs []Pair) string {
	via := agg.RunPlan.Plan.Targets[pairs[0].Target].Via
	for _, p := range pairs {
		if agg.RunPlan.Plan.Targets[p.Target].Via != via {
			return ""
		}
	}
	return via
}

// family is the address family of all the pairs, or empty if it is both.
func (agg *Aggregate) family(pairs []Pair) string {
	var v4, v6 bool
	for _, p := range pairs {
		is4 := agg.RunPlan.Plan.Targets[p.Target].Address.Is4()
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

// refusedEndpoints is the finding about endpoints that were refused, if any were.
func (agg *Aggregate) refusedEndpoints() []v1alpha1.Finding {
	list := agg.RunPlan.Refused
	if len(list) == 0 {
		return nil
	}
	f := v1alpha1.Finding{
		Scope: v1alpha1.ScopeAll, Pairs: int32(len(list) * max(1, len(agg.Outcomes))), Via: onlyVia(agg.RunPlan),
		Verdict: string(report.Inconclusive), Reason: v1alpha1.ReasonEndpointsRefused,
		Message: text.Cut(target.RefusedMessage(list), v1alpha1.MaxFindingMessage),
	}
	if len(list) == 1 {
		f.Scope, f.Target = v1alpha1.ScopeTarget, list[0].Target
	}
	return []v1alpha1.Finding{f}
}

// onlyVia is the spec's via if it has one only, or empty.
func onlyVia(rp *runplan.RunPlan) string {
	if s := rp.Target.Service; s != nil && len(s.Via) == 1 {
		return string(s.Via[0])
	}
	return ""
}

// firstSeen is the time of the same finding in before, or now.
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
