package run

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// askUnopened asks anew, one after the other, flows that came to no connection beside others of this run although the
// target accepted some. It ends where several come to none alone either.
func askUnopened(ctx context.Context, ask flow.Func, env flow.Env, opened *openings, a *answer) {
	if !opened.anyProven() || env.OpenFrom == nil {
		return
	}
	failed := 0
	for i, f := range a.flows {
		if !f.Unopened || f.Port == 0 || f.Reason != report.PathDown { // it is known why there was none
			continue
		}
		if failed == enoughFailures || ctx.Err() != nil {
			return
		}
		o := ask(ctx, fromPort(env, f.Port))
		a.pooled, a.flows[i] = append(a.pooled, f), o
		if o.Unopened {
			failed++
		} else {
			a.openedAlone++
		}
	}
}

// refusedAlone asks once more, when nothing else does, and reports whether the target refuses that too: what refuses
// only some of several connections is a limit, and no listener that is gone.
func (a *answer) refusedAlone(ctx context.Context, ask flow.Func, env flow.Env) bool {
	o := ask(ctx, &env)
	a.pooled = append(a.pooled, o)
	return o.Refused
}

// noteLimits takes SYNs that were ignored for the work of a limit, if SYNs of most flows that passed were ignored too,
// and one of the source ports that failed is answered later: it is asked once more for that, when nothing else is.
// Behind a balancer with one target that ignores SYNs, the others answer the first.
func (a *answer) noteLimits(ctx context.Context, ask flow.Func, env flow.Env) {
	i := slices.IndexFunc(a.flows, func(f flow.Outcome) bool {
		return f.Reason == report.QueueFullOrSynFiltered && f.Port != 0
	})
	n := verdict.Handshakes(handshaken(a.flows))
	if i < 0 || n == nil || 2*n.Repeated < n.Established || env.OpenFrom == nil || a.repeats.ByPort() {
		return
	}
	if a.repeats.Failed.Lost == a.repeats.Failed.Sent {
		o := ask(ctx, fromPort(env, a.flows[i].Port))
		a.again = append(a.again, o)
		if o.Verdict != report.Pass {
			return
		}
	}
	for i, f := range a.flows {
		if f.Reason == report.QueueFullOrSynFiltered {
			a.flows[i].Finding = verdict.AnsweredLater(f.Finding)
		}
	}
}
