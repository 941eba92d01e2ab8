package report

import "github.com/tcpprobe/tcpprobe/probe/plan"

// Question is one check of one target of one source.
type Question struct {
	Position int // of the target, in plan.Sources[node]
	Check    int // in plan.Checks()
}

// asked reports whether p asks the question of the source.
func (q Question) asked(p *plan.Plan, node string, checks []plan.Check) bool {
	targets := p.Sources[node]
	return q.Position >= 0 && q.Position < len(targets) && q.Check >= 0 && q.Check < len(checks) &&
		p.Asks(node, checks[q.Check], targets[q.Position])
}

// Questions are all that p asks of one source, in order.
func Questions(p *plan.Plan, node string) (all []Question) {
	checks := p.Checks()
	for position, t := range p.Sources[node] {
		for check, c := range checks {
			if p.Asks(node, c, t) {
				all = append(all, Question{position, check})
			}
		}
	}
	return all
}

// Unanswered is the result of a question of p that nothing was found about yet.
func Unanswered(p *plan.Plan, node string, q Question) Result {
	t, c := p.Targets[p.Sources[node][q.Position]], p.Checks()[q.Check]
	r := Result{
		Name: p.Scenarios[c.Scenario].Name, Scenario: c.Type, Variant: c.Variant, Target: t.AddrPort().String(), Via: t.Via,
		Family: "IPv6", PathType: Unknown, Answers: &q,
	}
	if t.Address.Is4() {
		r.Family = "IPv4"
	}
	if t.Node != "" && t.Node == node {
		r.PathType = SameNode
	}
	return r
}

// Fill gives every check of p that has no result in r one that is Inconclusive for this reason, so
// that a run which was cut short says so for each of them. It returns how many it gave.
func (r *Report) Fill(p *plan.Plan, reason Reason, message string) int {
	answered := make(map[Question]bool, len(r.Results))
	for _, res := range r.Results {
		if res.Answers != nil {
			answered[*res.Answers] = true
		}
	}
	before := len(r.Results)
	for _, q := range Questions(p, r.Source.Node) {
		if !answered[q] {
			res := Unanswered(p, r.Source.Node, q)
			res.Verdict, res.Reason, res.Message = Inconclusive, reason, message
			r.Results = append(r.Results, res)
		}
	}
	return len(r.Results) - before
}
