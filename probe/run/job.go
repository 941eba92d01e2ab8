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

// job is one source's part of a run in progress, with its results so far.
type job struct {
	plan     *plan.Plan
	node     string
	checks   []plan.Check
	alpha    float64 // error bound of one flow of one check
	progress func(done, total int)
	serial   sync.Mutex // held by a scenario that probes one target after the other

	mu      sync.Mutex
	results []report.Result // by target position, then check; without Scenario: not run
	asked   int             // number of results at the end
	done    int
	leaked  int
	guard   report.Guard

	failures []capture.Failure          // one for each kind of failure
	kernels  []report.KernelConnections // by the target's position; without an outcome where none are asked for
}

func newJob(p *plan.Plan, node string, progress func(done, total int)) *job {
	j := &job{plan: p, node: node, checks: p.Checks(), progress: progress}
	j.results = make([]report.Result, len(p.Sources[node])*len(j.checks))
	tests := p.Paths + 1 // one more for the test over all flows
	if p.KernelConnections != plan.Off {
		tests++
	}
	j.alpha = p.Alpha / float64(max(1, tests*len(j.checks)))
	j.kernels = make([]report.KernelConnections, len(p.Sources[node]))
	j.asked = len(report.Questions(p, node))
	return j
}

// found returns the results of the checks that were run.
func (j *job) found() []report.Result {
	return slices.DeleteFunc(j.results, func(r report.Result) bool { return r.Scenario == "" })
}

// target runs all checks for the target at the given position, one after the other.
func (j *job) target(ctx context.Context, h *host, position int) {
	index := j.plan.Sources[j.node][position]
	t := j.plan.Targets[index]
	env := flow.Env{Remote: t.AddrPort(), Background: &verdict.Background{}, Alpha: j.alpha}
	env.Pace, env.Charge = newPace(ctx, j.plan.PacketsPerSecond)
	stack, fault := h.stackTo(t.Address)
	var route wire.Route
	if fault == nil {
		env.Open, env.OpenFrom, route = stack.Open, stack.OpenFrom, stack.route
	}
	kernel := j.newKernelTest(env, stack, h, index)
	for i, c := range j.checks {
		if !j.plan.Asks(j.node, c, index) {
			continue
		}
		kernel.beside(ctx, c)
		a := answer{flows: j.notStarted(fault)}
		if fault == nil {
			env.Spec = j.plan.Scenarios[c.Scenario]
			a = j.runCheck(ctx, c, env)
		}
		r := report.Unanswered(j.plan, j.node, report.Question{Position: position, Check: i})
		r.PathType = pathType(t, j.node, route)
		j.add(position*len(j.checks)+i, r, a)
	}
	rules := j.rules(position) // by what the crafted flows found
	j.kernel(ctx, kernel, position)
	j.name(position, rules)
}

// notStarted returns the outcome of a check that could not begin; nil if there was no error.
func (j *job) notStarted(fault error) []flow.Outcome {
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

// answer has the outcomes of a check's flows.
type answer struct {
	flows   []flow.Outcome
	pooled  []flow.Outcome   // outcomes of further flows, for the test over all flows
	finding *verdict.Finding // finding of that test
	perPath bool             // flows may take different paths, so a share of flows may be one of paths
	again   []flow.Outcome   // outcomes of source ports that were asked again
	repeats verdict.Repeats  // how these compare with the first answers
}

// runCheck runs the flows of a check, as many at once as the plan allows.
func (j *job) runCheck(ctx context.Context, c plan.Check, env flow.Env) answer {
	definition, known := scenario.Registry[c.Type]
	switch {
	case !known:
		return answer{flows: j.notStarted(fmt.Errorf("scenario %s is not known to this prober", c.Type))}
	case !definition.Has(c.Variant):
		return answer{flows: j.notStarted(
			fmt.Errorf("variant %q of scenario %s is not known to this prober", c.Variant, c.Type))}
	}
	run := definition.Flow(c.Variant)
	env.Budget, env.Firsts = verdict.NewBudget(j.alpha), verdict.NewFirsts(j.alpha)
	env.Wraps, env.Purpose = verdict.NewWraps(j.alpha), c.String()
	env.Sizes = &flow.Sizes{}
	if definition.Serial {
		j.serial.Lock()
		defer j.serial.Unlock()
	}
	a := answer{perPath: definition.Flows == 0}
	paths := cmp.Or(definition.Flows, j.plan.Paths)
	a.flows = parallel(paths, j.maxOpenFlows(), func() flow.Outcome { return run(ctx, &env) })
	if definition.Pool != nil {
		j.pool(ctx, c, definition.Pool(c.Variant), &env, &a)
	}
	j.askAgain(ctx, run, env, &a)
	return a
}

// maxOpenFlows is how many flows to one target may be open at the same time: each can then send a segment every tenth
// of a second. More flows would only wait for the pace. Meanwhile the peer would hold connections and repeat SYN-ACKs
// without use.
func (j *job) maxOpenFlows() int { return max(minOpenFlows, j.plan.PacketsPerSecond/10) }

const minOpenFlows = 4

// parallel calls f n times, with at most so many calls at the same time.
func parallel[T any](n, most int, f func() T) []T {
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
