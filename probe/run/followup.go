package run

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// followUp asks again about results of one target when nothing else is sent to it any more. What explains none of them
// is asked about the first one only.
func (j *job) followUp(ctx context.Context, env flow.Env, position int, of func(report.Result) bool) {
	for i, c := range j.checks {
		at := position*len(j.checks) + i
		r := j.results[at]
		definition := scenario.Registry[c.Type]
		if !of(r) || definition.FollowUp == nil || ctx.Err() != nil {
			continue
		}
		ask := definition.FollowUp(c.Variant)
		if ask == nil {
			continue
		}
		from := &env
		if port := j.ports[at]; env.OpenFrom != nil && port != 0 {
			from = fromPort(env, port)
		}
		from.Spec, from.Purpose = j.plan.Scenarios[c.Scenario], c.String()
		f, o := ask(ctx, from, verdict.LostAlways(r))
		j.mu.Lock()
		j.count([]flow.Outcome{o})
		j.results[at] = verdict.WithFollowUp(r, f, j.plan.Alpha)
		j.mu.Unlock()
		if !f.Tells() {
			return
		}
	}
}
