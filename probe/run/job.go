package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// job is one run in progress: the plan's part of one source, and what has been found.
type job struct {
	plan     *plan.Plan
	node     string
	checks   []plan.Check
	alpha    float64 // of one flow of one check
	progress func(done, total int)
	serial   sync.Mutex // held by a scenario that is asked of one target after the other

	mu      sync.Mutex
	results []report.Result // by the target's position, then by check; without a scenario where nothing is asked
	asked   int             // results that there will be
	done    int
	leaked  int
	guard   report.Guard

	failures []capture.Failure // one of each kind
}

func newJob(p *plan.Plan, node string, progress func(done, total int)) *job {
	j := &job{plan: p, node: node, checks: p.Checks(), progress: progress}
	j.results = make([]report.Result, len(p.Sources[node])*len(j.checks))
	j.alpha = p.Alpha / float64(max(1, (p.Paths+1)*len(j.checks))) // one more for the test over all flows
	j.asked = len(report.Questions(p, node))
	return j
}

// found are the results of what was asked.
func (j *job) found() []report.Result {
	return slices.DeleteFunc(j.results, func(r report.Result) bool { return r.Scenario == "" })
}

// target runs all checks against the target at the given position, one after the other.
func (j *job) target(ctx context.Context, h *host, position int) {
	index := j.plan.Sources[j.node][position]
	t := j.plan.Targets[index]
	env := flow.Env{Remote: t.AddrPort(), Background: &verdict.Background{}, Alpha: j.alpha}
	env.Pace, env.Charge = newPace(ctx, j.plan.PacketsPerSecond)
	stack, fault := h.stackTo(t.Address)
	var route wire.Route
	if fault == nil {
		env.Open, route = stack.Open, stack.route
	}
	for i, c := range j.checks {
		if !j.plan.Asks(j.node, c, index) {
			continue
		}
		a := answer{flows: j.unable(fault)}
		if fault == nil {
			env.Spec = j.plan.Scenarios[c.Scenario]
			a = j.ask(ctx, c, env)
		}
		r := report.Unanswered(j.plan, j.node, report.Question{Position: position, Check: i})
		r.PathType = pathType(t, j.node, route)
		j.add(position*len(j.checks)+i, r, a)
	}
	j.name(position)
}

// unable is the outcome of a check that could not begin; nil without a fault.
func (j *job) unable(fault error) []flow.Outcome {
	if fault == nil {
		return nil
	}
	reason := report.ProberFault
	if errors.Is(fault, guard.ErrUnavailable) {
		reason = report.GuardUnavailable
	}
	f := verdict.Finding{Verdict: report.Inconclusive, Reason: reason, Message: fault.Error()}
	return []flow.Outcome{{Finding: f}}
}

// answer is what the flows of a check came to.
type answer struct {
	flows   []flow.Outcome
	pooled  []flow.Outcome   // further flows of the test over all of them
	finding *verdict.Finding // of that test
	perPath bool             // each flow may take another path, so that their share is one of paths
}

// ask runs as many flows of a check at once as the plan asks for.
func (j *job) ask(ctx context.Context, c plan.Check, env flow.Env) answer {
	definition, known := scenario.Registry[c.Type]
	switch {
	case !known:
		return answer{flows: j.unable(fmt.Errorf("scenario %s is not known to this prober", c.Type))}
	case !definition.Has(c.Variant):
		return answer{flows: j.unable(fmt.Errorf("variant %q of scenario %s is not known to this prober", c.Variant, c.Type))}
	}
	run := definition.Flow(c.Variant)
	env.Budget, env.Firsts, env.Purpose = verdict.NewBudget(j.alpha), verdict.NewFirsts(j.alpha), c.String()
	env.Sizes = &flow.Sizes{}
	if definition.Serial {
		j.serial.Lock()
		defer j.serial.Unlock()
	}
	a := answer{perPath: definition.Flows == 0}
	a.flows = atOnce(cmp.Or(definition.Flows, j.plan.Paths), j.open(), func() flow.Outcome { return run(ctx, &env) })
	if definition.Pool != nil {
		j.pool(ctx, c, definition.Pool(c.Variant), &env, &a)
	}
	return a
}

// open is how many flows to a target may be open at the same time: as many as get a segment each tenth of a second.
// More would only wait for the pace, and the peer with them, which repeats its SYN-ACKs and holds connections for
// nothing.
func (j *job) open() int { return max(leastOpen, j.plan.PacketsPerSecond/10) }

const leastOpen = 4

// atOnce calls f n times, at most so many side by side.
func atOnce[T any](n, most int, f func() T) []T {
	out, turns := make([]T, n), make(chan struct{}, most)
	var all sync.WaitGroup
	for i := range out {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			out[i] = f()
		})
	}
	all.Wait()
	return out
}
