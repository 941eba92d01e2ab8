package report

import (
	"cmp"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Summary is a Report cut down to what a pod's termination message can carry: the verdict of every
// target and check of one source, and in words whatever did not simply pass.
type Summary struct {
	APIVersion     string  `json:"apiVersion"`
	Run            string  `json:"run"`
	Source         string  `json:"source"`           // node
	Matrix         string  `json:"matrix"`           // base64url of two bits per target and check, see matrix
	Groups         []Group `json:"groups,omitempty"` // worst first
	Cut            int     `json:"cut,omitempty"`    // groups that did not fit
	Guard          string  `json:"guard,omitempty"`  // tcx or clsact
	Kernel         string  `json:"kernel,omitempty"`
	LeakedFlows    int     `json:"leakedFlows,omitempty"`
	DurationMicros int64   `json:"durationMicros,omitempty"`
	Overlay        string  `json:"overlay,omitempty"` // positions of targets that a tunnel leads to, as ranges: "0-3,7"
	Routed         string  `json:"routed,omitempty"`  // and of those to which the segments go as they are
	Error          string  `json:"error,omitempty"`   // why the plan could not be used; then there is no matrix

	verdicts matrix // what Matrix says
	checks   int    // of the plan, per target
}

// Summarize is the short form of r, which answers p. Results that answer nothing that p asks are left out;
// checks without a result have no verdict.
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
		LeakedFlows: r.LeakedFlows, DurationMicros: r.DurationMicros,
		verdicts: m, checks: len(checks),
	}
}

// Refusal is the Summary of a prober that could not use its plan. run may be empty: an unreadable plan
// has none.
func Refusal(run, node string, err error) Summary {
	return Summary{APIVersion: APIVersion, Run: run, Source: node, Error: err.Error()}
}

// Verdict of the target at position in plan.Sources[node], for the check at that index of
// plan.Checks(); empty if there is none.
func (s Summary) Verdict(position, check int) Verdict {
	if position < 0 || check < 0 || check >= s.checks {
		return ""
	}
	return s.verdicts.at(position*s.checks + check)
}

// PathType of the way to the target at position in plan.Sources[node], as far as the source could see it. Whether it is
// on the same node is for the plan to say.
func (s Summary) PathType(position int) PathType {
	switch {
	case slices.Contains(indices(s.Overlay), position):
		return Overlay
	case slices.Contains(indices(s.Routed), position):
		return Routed
	}
	return Unknown
}

// grouping collects groups in the order of their first result.
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
	if r.plain() {
		return
	}
	k := groupKey{q.Check, r.Verdict, r.Reason, r.Rule}
	m := g.members[k]
	if m == nil {
		if g.members == nil {
			g.members = make(map[groupKey]*member)
		}
		m = &member{group: Group{Check: q.Check, Verdict: r.Verdict, Reason: r.Reason, Rule: r.Rule, Message: r.Message}}
		g.members[k] = m
		g.keys = append(g.keys, k)
	}
	m.add(q.Position, r)
}

func (m *member) add(position int, r Result) {
	m.positions = append(m.positions, position)
	m.group.add(r)
}

// list is worst first: by verdict, then by the number of targets, then in the order of the plan.
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

// plain reports whether there is nothing to say about r but that it passed.
func (r Result) plain() bool {
	return r.Verdict == Pass && r.Rule == "" && (r.Reason == Established || r.Reason == Delivered)
}

func (f Flows) plus(g Flows) Flows {
	return Flows{f.Tried + g.Tried, f.Pass + g.Pass, f.Fail + g.Fail, f.Inconclusive + g.Inconclusive}
}
