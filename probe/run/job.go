package run

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// job is one source's part of a run in progress, with its results so far.
type job struct {
	plan     *plan.Plan
	node     string
	checks   []plan.Check
	alpha    float64 // error bound of one flow of one check
	progress func(done, total int)
	finished func(report.Result) // gets each result that is there; may be nil
	serial   sync.Mutex          // held by a scenario that probes one target after the other

	mu      sync.Mutex
	over    []asked         // by the target's position
	ports   []uint16        // source port of the flow that a result shows, by the result's place
	alone   []bool          // by the result's place: what is lost at 0 was seen to arrive at numbers like it
	results []report.Result // by target position, then check; without Scenario: not run
	shifted []bool          // by the target's position: SACK options do not fit the numbers there
	asked   int             // number of results at the end
	done    int
	remains flow.Remains
	// connected is how many segments ordinary connections sent, one to each target
	connected int
	guard     report.Guard

	failures []capture.Failure          // one for each kind of failure
	kernels  []report.KernelConnections // by the target's position; without an outcome where none are asked for
}

func newJob(p *plan.Plan, node string, progress func(done, total int)) *job {
	j := &job{plan: p, node: node, checks: p.Checks(), progress: progress}
	j.results = make([]report.Result, len(p.Sources[node])*len(j.checks))
	j.over, j.shifted = make([]asked, len(p.Sources[node])), make([]bool, len(p.Sources[node]))
	j.ports, j.alone = make([]uint16, len(j.results)), make([]bool, len(j.results))
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

// asked is a target whose flows and kernel connections are over.
type asked struct {
	env    flow.Env
	kernel *report.KernelConnections // nil: none were asked for
}

// target runs all checks for the target at the given position, one after the other. While flows of one only wait for
// late answers, the next one begins. What they found is judged in conclude.
func (j *job) target(ctx context.Context, h *host, position int) {
	index := j.plan.Sources[j.node][position]
	t := j.plan.Targets[index]
	env := flow.Env{Remote: t.AddrPort(), Background: &verdict.Background{}, Alpha: j.alpha,
		Lateness: &verdict.Lateness{}, Accepting: verdict.NewAccepting(), Endings: &flow.Endings{}}
	b := newSegmentRate(ctx, j.plan.PacketsPerSecond)
	env.Pace, env.Take, env.TryTake = b.pace, b.take, b.tryTake
	stack, fault := h.stackTo(t.AddrPort())
	var first route.Route
	var plain route.Hop
	var opened *openings
	if fault == nil {
		router := h.flows()
		env.Open, env.OpenFrom, first, plain = router.Open, router.OpenFrom, stack.route, h.plain(t.Address)
		opened = newOpenings(router.Open, env.Remote, newTurns(j.plan.Paths, j.plan.PacketsPerSecond))
		opened.oneHop, opened.host = router.OneHop, h
		if j.speaksFirst(t) {
			opened.spare(newAllowance(env.Remote, j.plan.Paths, j.checks), &env)
		}
	}
	kernel := j.newKernelTest(env, h, opened, index)
	var open sync.WaitGroup
	for i, c := range j.checks {
		if !j.plan.Asks(j.node, c, index) {
			continue
		}
		if scenario.Registry[c.Type].Serial {
			open.Wait()
		}
		kernel.beside(ctx, c)
		result, env, w, over := position*len(j.checks)+i, env, newWorking(), make(chan struct{})
		env.Spec = j.plan.Scenarios[c.Scenario]
		open.Go(func() {
			defer close(over)
			a := answer{flows: j.notStarted(fault)}
			if fault == nil {
				a = j.runCheck(ctx, c, env, opened, w)
			}
			a.plain = plain
			r := report.Unanswered(j.plan, j.node, report.Question{Position: position, Check: i})
			r.PathType = pathType(t, j.node, first)
			j.add(result, r, a)
		})
		select {
		case <-over:
		case <-w.idle:
		}
	}
	open.Wait()
	found := j.kernel(ctx, kernel, position)
	if fault == nil {
		j.connect(ctx, h, env, position)
	}
	j.over[position] = asked{env, found}
}

// speaksFirst reports whether the target is known to speak first.
func (j *job) speaksFirst(t plan.Target) bool {
	return slices.ContainsFunc(j.plan.Scenarios, func(s plan.Scenario) bool {
		return payload.SpeaksFirst(s.PayloadPreset, t.Port)
	})
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
