package run

import (
	"context"

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
		if !f.Unopened || f.Port == 0 {
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

// synsLimited takes SYNs that were ignored for those of a limit, if the same source ports were answered when they were
// asked again and nothing else was changed by that.
func (a *answer) synsLimited() {
	if a.repeats.Failed.Sent == 0 || a.repeats.Failed.Lost > 0 || a.repeats.Passed.Lost > 0 {
		return
	}
	for i, f := range a.flows {
		if f.Reason == report.QueueFullOrSynFiltered {
			a.flows[i].Finding = verdict.SYNsLimited(f.Finding)
		}
	}
}
