package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// job is one run in progress: the plan's part of one source, and what has been found.
type job struct {
	plan     *plan.Plan
	node     string
	checks   []plan.Check
	alpha    float64 // of one flow of one check
	progress func(done, total int)
	alone    sync.Mutex // held by a scenario that is asked of one target after the other

	mu      sync.Mutex
	results []report.Result // by the target's position, then by check; without a scenario where nothing is asked
	asked   int             // results that there will be
	done    int
	leaked  int
	guard   report.Guard

	failures []capture.Finding // one of each kind
}

func newJob(p *plan.Plan, node string, progress func(done, total int)) *job {
	j := &job{plan: p, node: node, checks: p.Checks(), progress: progress}
	j.results = make([]report.Result, len(p.Sources[node])*len(j.checks))
	j.alpha = p.Alpha / float64(max(1, p.Paths*len(j.checks)))
	for _, target := range p.Sources[node] {
		for _, c := range j.checks {
			if p.Asks(node, c, target) {
				j.asked++
			}
		}
	}
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
	env := scenario.Env{Remote: t.AddrPort(), Pace: newPace(j.plan.PacketsPerSecond), Background: &verdict.Background{}, Alpha: j.alpha}
	stack, fault := h.stackTo(t.Address)
	if fault == nil {
		env.Open = stack.Open
	}
	for i, c := range j.checks {
		if !j.plan.Asks(j.node, c, index) {
			continue
		}
		flows := j.unable(fault)
		if fault == nil {
			env.Order = j.plan.Scenarios[c.Scenario]
			flows = j.flows(ctx, c, env)
		}
		j.add(position*len(j.checks)+i, j.result(t, c), flows)
	}
}

// unable is the outcome of a check that could not begin; nil without a fault.
func (j *job) unable(fault error) []scenario.Outcome {
	if fault == nil {
		return nil
	}
	reason := report.ProberFault
	if errors.Is(fault, guard.ErrUnavailable) {
		reason = report.GuardUnavailable
	}
	f := verdict.Finding{Verdict: report.Inconclusive, Reason: reason, Message: fault.Error()}
	return []scenario.Outcome{{Finding: f}}
}

// flows runs as many flows of a check at once as the plan asks for.
func (j *job) flows(ctx context.Context, c plan.Check, env scenario.Env) []scenario.Outcome {
	definition, known := scenario.Registry[c.Type]
	switch {
	case !known:
		return j.unable(fmt.Errorf("scenario %s is not known to this prober", c.Type))
	case !definition.Has(c.Variant):
		return j.unable(fmt.Errorf("variant %q of scenario %s is not known to this prober", c.Variant, c.Type))
	}
	flow := definition.Flow(c.Variant)
	env.Budget, env.Purpose = verdict.NewBudget(j.alpha), c.String()
	if definition.Alone {
		j.alone.Lock()
		defer j.alone.Unlock()
	}
	out := make([]scenario.Outcome, cmp.Or(definition.Flows, j.plan.Paths))
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() { out[i] = flow(ctx, &env) })
	}
	all.Wait()
	return out
}

// result is a check's result, still without an outcome.
func (j *job) result(t plan.Target, c plan.Check) report.Result {
	r := report.Result{Name: j.plan.Scenarios[c.Scenario].Name, Scenario: c.Type, Variant: c.Variant,
		Target: t.AddrPort().String(), Via: t.Via, Family: "IPv4", PathType: report.Unknown}
	if t.Address.Is6() {
		r.Family = "IPv6"
	}
	if t.Node != "" && t.Node == j.node {
		r.PathType = report.SameNode
	}
	return r
}

// add completes result number i by its flows.
func (j *job) add(i int, r report.Result, flows []scenario.Outcome) {
	var findings []verdict.Finding
	var rtts []time.Duration
	for _, f := range flows {
		findings = append(findings, f.Finding)
		if f.RTT > 0 {
			rtts = append(rtts, f.RTT)
		}
	}
	best, n := verdict.Combine(findings)
	r.Verdict, r.Reason, r.Message, r.Flows, r.RTTMicros = best.Verdict, best.Reason, best.Message, n, verdict.RTT(rtts)
	if best.Tested {
		r.Alpha = j.plan.Alpha
	}
	telling := telling(flows, best)
	r.Evidence, r.Queue = telling.Evidence, telling.Queue
	for _, f := range flows {
		r.StallMillis = max(r.StallMillis, f.Stall.Milliseconds())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.results[i] = r
	j.show(r, telling.Records)
	j.count(flows)
	j.done++
	if j.progress != nil {
		j.progress(j.done, j.asked)
	}
}

// count adds up what the flows say of the guard, and what they may have left.
func (j *job) count(flows []scenario.Outcome) {
	for _, f := range flows {
		j.leaked += f.Leaked
		j.guard.Stolen += f.Guard.Stolen
		j.guard.ResetsDropped += f.Guard.ResetsDropped
	}
}

// show keeps the packets behind a failure, unless those of another target show the same.
func (j *job) show(r report.Result, packets []conn.Record) {
	known := func(f capture.Finding) bool {
		return f.Result.Scenario == r.Scenario && f.Result.Variant == r.Variant && f.Result.Reason == r.Reason
	}
	if r.Verdict == report.Fail && len(packets) > 0 && !slices.ContainsFunc(j.failures, known) {
		j.failures = append(j.failures, capture.Finding{Result: r, Records: packets})
	}
}

// telling is the first flow with the published finding.
func telling(flows []scenario.Outcome, f verdict.Finding) (o scenario.Outcome) {
	for _, o := range flows {
		if o.Finding.Reason == f.Reason {
			return o
		}
	}
	return o
}
