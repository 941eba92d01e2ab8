package run

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// pool runs the test over all flows of a check. It is for the case that no single flow fails, but several lost their
// first suspect. A network does this if it sprays the packets of a flow over several paths and one of these is bad.
func (j *job) pool(ctx context.Context, c plan.Check, sample flow.PoolFunc, env *flow.Env, turns turns,
	a *answer,
) {
	if sample == nil || failed(a.flows) || a.before == nil && !uneven(a.flows, env.Background) {
		return
	}
	type part struct {
		verdict.Pool
		flow.Outcome
	}
	size := verdict.PoolBlock(len(a.flows))
	parts := parallel(len(a.flows), turns, func(int) part {
		p, o := sample(ctx, env, size)
		return part{p, o}
	})
	var pools verdict.Pools
	for _, p := range parts {
		a.pooled = append(a.pooled, p.Outcome)
		if p.Verdict == report.Pass { // without a valid flow its samples do not count
			pools = append(pools, p.Pool)
		}
	}
	if f, lossy := pools.Lossy(c.Variant, j.alpha); lossy {
		a.finding = &f
	}
}

func failed(flows []flow.Outcome) bool {
	return slices.ContainsFunc(flows, func(f flow.Outcome) bool { return f.Verdict == report.Fail })
}

func uneven(flows []flow.Outcome, background *verdict.Background) bool {
	first := verdict.Count{Sent: len(flows)}
	for _, f := range flows {
		if f.FirstLost {
			first.Lost++
		}
	}
	return verdict.Uneven(first, background.Count())
}
