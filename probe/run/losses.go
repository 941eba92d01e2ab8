package run

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// askAboutLosses asks anew, in as many fresh flows, where none failed and suspects were lost far more often than
// controls.
func askAboutLosses(ctx context.Context, ask flow.Func, env *flow.Env, turns turns, a *answer) {
	l := lossesOf(a.flows)
	if !a.perPath || failed(a.flows) || !l.FarMore() || ctx.Err() != nil {
		return
	}
	again := parallel(len(a.flows), turns, func(int) flow.Outcome { return ask(ctx, env) })
	a.pooled, a.flows, a.before = append(a.pooled, a.flows...), again, &l
}

func lossesOf(flows []flow.Outcome) verdict.Losses {
	var sum conn.Segments
	for _, f := range flows {
		sum = sum.Plus(f.Segments)
	}
	return verdict.Losses{Suspects: segmentsOf(sum.Suspects), Controls: segmentsOf(sum.Controls)}
}
