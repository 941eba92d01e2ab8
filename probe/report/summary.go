package report

import (
	"cmp"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Summary is the short form of a Report for a pod's termination message: the verdict of every target and check of one
// source, and details of the results that need attention.
type Summary struct {
	APIVersion     string  `json:"apiVersion"`
	Run            string  `json:"run"`
	Source         string  `json:"source"`           // name of the node
	Matrix         string  `json:"matrix"`           // base64url of two bits per target and check, see matrix
	Groups         []Group `json:"groups,omitempty"` // worst first
	Cut            int     `json:"cut,omitempty"`    // number of groups that did not fit
	Guard          string  `json:"guard,omitempty"`  // tcx or clsact
	Kernel         string  `json:"kernel,omitempty"`
	LeakedFlows    int     `json:"leakedFlows,omitempty"`
	Unconfirmed    int     `json:"unconfirmedFlows,omitempty"`
	DurationMicros int64   `json:"durationMicros,omitempty"`
	Overlay        string  `json:"overlay,omitempty"` // positions of targets with path type Overlay, as ranges: "0-3,7"
	Routed         string  `json:"routed,omitempty"`  // positions of targets with path type Routed
	Error          string  `json:"error,omitempty"`   // why the plan could not be used; then there is no matrix

	verdicts matrix // decoded Matrix
	checks   int    // number of checks for each target
}

// Summarize returns the short form of r for the plan p. Results that do not belong to p are left out. Checks without a
// result have no verdict.
func Summarize(r Report, p *plan.Plan) Summary {
	checks := p.Checks()
	m := newMatrix(len(p.Sources[r.Source.Node]) * len(checks))
	var groups grouping
	ways := make(map[PathType][]int)
	for _, res := range r.Results {
		q := res.Answers
		if q == nil || !q.asked(p, r.Source.Node, checks) {
			continue
		}
		ways[res.PathType] = append(ways[res.PathType], q.Position)
		m.raise(q.Position*len(checks)+q.Check, res.Verdict)
		groups.add(*q, res)
	}
	return Summary{
		APIVersion: APIVersion, Run: r.Run, Source: r.Source.Node,
		Matrix: m.String(), Groups: merged(groups.list(), checks),
		Guard: r.Guard.Mode, Kernel: r.Kernel,
		Overlay: formatPositions(ways[Overlay]), Routed: formatPositions(ways[Routed]),
		LeakedFlows: r.LeakedFlows, Unconfirmed: r.UnconfirmedFlows, DurationMicros: r.DurationMicros,
		verdicts: m, checks: len(checks),
	}
}

// Refusal returns the Summary of a prober that could not use its plan. run may be empty because the prober may not know
// it.
func Refusal(run, node string, err error) Summary {
	return Summary{APIVersion: APIVersion, Run: run, Source: node, Error: err.Error()}
}

// Verdict returns the verdict for the target at position in plan.Sources[node] and the check at that index of
// plan.Checks(). It is empty if there is none.
func (s Summary) Verdict(position, check int) Verdict {
	if position < 0 || check < 0 || check >= s.checks {
		return ""
	}
	return s.verdicts.at(position*s.checks + check)
}

// PathType returns the path type for the target at position in plan.Sources[node], as far as the source could see it.
// SameNode is not among them: the plan has that information.
func (s Summary) PathType(position int) PathType {
	switch {
	case slices.Contains(indices(s.Overlay), position):
		return Overlay
	case slices.Contains(indices(s.Routed), position):
		return Routed
	}
	return Unknown
}

// grouping collects groups in the order of their first results.
type grouping struct {
	keys    []groupKey
	members map[groupKey]*member
}

type groupKey struct {
	check   int
	verdict Verdict
	reason  Reason
	rule    string
}

type member struct {
	group     Group
	positions []int
}

func (g *grouping) add(q Question, r Result) {
	if r.plain() && !Lossy(r.Suspects, r.Controls) && !Late(r.Suspects, r.Controls) {
		return
	}
	k := groupKey{q.Check, r.Verdict, r.Reason, r.Rule}
	m := g.members[k]
	if m == nil {
		if g.members == nil {
			g.members = make(map[groupKey]*member)
		}
		m = &member{group: Group{Check: q.Check, Verdict: r.Verdict, Reason: r.Reason, Rule: r.Rule, Message: r.Message,
			Share: r.Share}}
		g.members[k] = m
		g.keys = append(g.keys, k)
	}
	m.add(q.Position, r)
}

func (m *member) add(position int, r Result) {
	m.positions = append(m.positions, position)
	m.group.add(r)
}

// list returns the groups, the worst first: by verdict, then by number of targets, then in the plan's order.
func (g *grouping) list() []Group {
	slices.SortStableFunc(g.keys, func(a, b groupKey) int {
		return cmp.Or(
			b.verdict.Compare(a.verdict),
			cmp.Compare(len(g.members[b].positions), len(g.members[a].positions)),
			cmp.Compare(a.check, b.check),
		)
	})
	var out []Group
	for _, k := range g.keys {
		m := g.members[k]
		m.group.Targets = formatPositions(m.positions)
		out = append(out, m.group)
	}
	return out
}

// plain reports whether r simply passed, so that it needs no words.
func (r Result) plain() bool { return plain(r.Verdict, r.Reason, r.Rule) }

// Plain reports whether its results simply passed: a report has such a group because of what was lost or late.
func (g Group) Plain() bool { return plain(g.Verdict, g.Reason, g.Rule) }

func plain(v Verdict, r Reason, rule string) bool {
	return v == Pass && rule == "" && (r == Established || r == Delivered)
}

func (f Flows) plus(g Flows) Flows {
	return Flows{f.Tried + g.Tried, f.Pass + g.Pass, f.Fail + g.Fail, f.Inconclusive + g.Inconclusive}
}
