package report

import "github.com/tcpprobe/tcpprobe/probe/plan"

// Question is one check of one target by one source.
type Question struct {
	Position int // of the target in plan.Sources[node]
	Check    int // in plan.Checks()
}

// asked reports whether, in p, the source runs this check against this target.
func (q Question) asked(p *plan.Plan, node string, checks []plan.Check) bool {
	targets := p.Sources[node]
	return q.Position >= 0 && q.Position < len(targets) && q.Check >= 0 && q.Check < len(checks) &&
		p.Asks(node, checks[q.Check], targets[q.Position])
}

// Questions returns all questions of one source in p, in order.
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

// Unanswered returns a result without a verdict for a question of p.
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

// Fill adds an Inconclusive result with this reason for every check of p that has no result in r. So a run that was cut
// short has a result for every check. Fill returns how many it added.
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
