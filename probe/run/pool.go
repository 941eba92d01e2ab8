package run

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// pool tests over all flows, where none is bad by itself but several lost their first suspect: what a fabric does that
// sprays the packets of a flow over its paths.
func (j *job) pool(ctx context.Context, c plan.Check, sample flow.PoolFunc, env *flow.Env, a *answer) {
	if sample == nil || !uneven(a.flows, env.Background) {
		return
	}
	type part struct {
		verdict.Pool
		flow.Outcome
	}
	size := verdict.PoolBlock(len(a.flows))
	parts := atOnce(len(a.flows), j.open(), func() part {
		p, o := sample(ctx, env, size)
		return part{p, o}
	})
	var pools verdict.Pools
	for _, p := range parts {
		a.pooled = append(a.pooled, p.Outcome)
		if p.Verdict == report.Pass { // what is not to be believed adds nothing
			pools = append(pools, p.Pool)
		}
	}
	if f, lossy := pools.Lossy(c.Variant, j.alpha); lossy {
		a.finding = &f
	}
}

func uneven(flows []flow.Outcome, background *verdict.Background) bool {
	first := verdict.Count{Sent: len(flows)}
	for _, f := range flows {
		if f.Verdict == report.Fail {
			return false
		}
		if f.FirstLost {
			first.Lost++
		}
	}
	return verdict.Uneven(first, background.Count())
}
