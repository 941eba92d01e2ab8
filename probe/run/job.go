package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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

	mu      sync.Mutex
	results []report.Result
	leaked  int
	guard   report.Guard
}

func newJob(p *plan.Plan, node string, progress func(done, total int)) *job {
	j := &job{plan: p, node: node, checks: p.Checks(), progress: progress}
	j.alpha = p.Alpha / float64(max(1, p.Paths*len(j.checks)))
	return j
}

// target runs all checks against one target, one after the other.
func (j *job) target(ctx context.Context, h *host, t plan.Target) {
	env := scenario.Env{Remote: t.AddrPort(), Pace: newPace(j.plan.PacketsPerSecond), Background: &verdict.Background{}, Alpha: j.alpha}
	stack, fault := h.stackTo(t.Address)
	if fault == nil {
		env.Open = stack.Open
	}
	for _, c := range j.checks {
		if fault != nil {
			j.add(j.result(t, c), j.unable(fault))
			continue
		}
		env.Payload = j.plan.Scenarios[c.Scenario].Payload
		j.add(j.result(t, c), j.flows(ctx, c, env))
	}
}

// unable is the outcome of a check that could not begin.
func (j *job) unable(fault error) []scenario.Outcome {
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
	if !known {
		return j.unable(fmt.Errorf("scenario %s is not known to this prober", c.Type))
	}
	flow := definition.Flow(c.Variant)
	out := make([]scenario.Outcome, j.plan.Paths)
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
		Target: t.AddrPort().String(), Via: t.Via, Family: "IPv4", PathType: report.Unknown, Alpha: j.plan.Alpha}
	if t.Address.Is6() {
		r.Family = "IPv6"
	}
	if t.Node != "" && t.Node == j.node {
		r.PathType = report.SameNode
	}
	return r
}

// add completes a result by its flows.
func (j *job) add(r report.Result, flows []scenario.Outcome) {
	var findings []verdict.Finding
	var rtts []time.Duration
	var check conn.SelfCheck
	leaked := 0
	for _, f := range flows {
		findings = append(findings, f.Finding)
		if f.RTT > 0 {
			rtts = append(rtts, f.RTT)
		}
		check = check.Plus(f.Guard)
		leaked += f.Leaked
	}
	best, n := verdict.Combine(findings)
	r.Verdict, r.Reason, r.Message, r.Flows, r.RTTMicros = best.Verdict, best.Reason, best.Message, n, verdict.RTT(rtts)
	r.Evidence = evidence(flows, best)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.results = append(j.results, r)
	j.leaked += leaked
	j.guard.Stolen += check.Stolen
	j.guard.ResetsDropped += check.ResetsDropped
	if j.progress != nil {
		j.progress(len(j.results), len(j.checks)*len(j.plan.Sources[j.node]))
	}
}

// evidence is that of the first flow with the published finding.
func evidence(flows []scenario.Outcome, f verdict.Finding) []string {
	for _, o := range flows {
		if o.Finding.Reason == f.Reason {
			return o.Evidence
		}
	}
	return nil
}
