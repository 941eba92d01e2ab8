package report

import "github.com/tcpprobe/tcpprobe/probe/plan"

// question is one check of one target of one source.
type question struct{ position, check int }

func (q question) index(checks int) int { return q.position*checks + q.check }

// questions are all that a plan asks of one source, found by the words of a Result.
type questions struct {
	targets int
	checks  int // per target
	by      map[subject][]question
}

// subject is what a Result says it is about.
type subject struct{ target, via, name, scenario, variant string }

func questionsOf(p *plan.Plan, node string) questions {
	checks, positions := p.Checks(), p.Sources[node]
	qs := questions{len(positions), len(checks), make(map[subject][]question, len(positions)*len(checks))}
	for position, t := range positions {
		for check, c := range checks {
			if !p.Asks(node, c, t) {
				continue
			}
			s := subjectOf(p, p.Targets[t], c)
			qs.by[s] = append(qs.by[s], question{position, check})
		}
	}
	return qs
}

func subjectOf(p *plan.Plan, t plan.Target, c plan.Check) subject {
	return subject{t.AddrPort().String(), t.Via, p.Scenarios[c.Scenario].Name, c.Type, c.Variant}
}

func (qs questions) len() int { return qs.targets * qs.checks }

// of are the questions that r answers: one, or none if the plan did not ask for r.
func (qs questions) of(r Result) []question {
	return qs.by[subject{r.Target, r.Via, r.Name, r.Scenario, r.Variant}]
}

// Fill gives every check of p that has no result in r one that is Inconclusive for this reason, so
// that a run which was cut short says so for each of them. It returns how many it gave.
func (r *Report) Fill(p *plan.Plan, reason Reason, message string) int {
	answered := make(map[subject]bool, len(r.Results))
	for _, res := range r.Results {
		answered[subject{res.Target, res.Via, res.Name, res.Scenario, res.Variant}] = true
	}
	before := len(r.Results)
	for _, t := range p.Sources[r.Source.Node] {
		for _, c := range p.Checks() {
			s := subjectOf(p, p.Targets[t], c)
			if p.Asks(r.Source.Node, c, t) && !answered[s] {
				r.Results = append(r.Results, s.inconclusive(p.Targets[t], r.Source.Node, reason, message))
			}
		}
	}
	return len(r.Results) - before
}

func (s subject) inconclusive(t plan.Target, node string, reason Reason, message string) Result {
	res := Result{
		Name: s.name, Scenario: s.scenario, Variant: s.variant, Target: s.target, Via: s.via,
		Family: "IPv6", PathType: Unknown,
		Verdict: Inconclusive, Reason: reason, Message: message,
	}
	if t.Address.Is4() {
		res.Family = "IPv4"
	}
	if t.Node != "" && t.Node == node {
		res.PathType = SameNode
	}
	return res
}
