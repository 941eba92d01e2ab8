package run

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Bounds of the follow-ups of one run, which come one after the other when nothing else is sent any more, to no target:
// several may be behind the same device.
const (
	followUpTime = 30 * time.Second
	// enoughUntold is how many follow-ups of one kind may find nothing before no more are made.
	enoughUntold = 2
)

// conclude judges the results of all targets together: by follow-ups, beside kernel connections, and by rule.
func (j *job) conclude(run context.Context) {
	ctx, stop := context.WithTimeout(run, followUpTime)
	defer stop()
	j.followUps(ctx, verdict.LostAlways)
	rules := make([][]*verdict.RuleFit, len(j.over))
	for position, a := range j.over {
		rules[position] = j.rules(position) // by what the crafted flows found
		j.besideKernel(a.kernel, position)
		j.noteSACKShift(position)
	}
	j.followUps(ctx, verdict.HarmsKernel)
	for position := range j.over {
		j.name(position, rules[position])
	}
	ctx, stop = context.WithTimeout(run, followUpTime)
	defer stop()
	j.followUps(ctx, verdict.FirstSYNsLost)
}

// followUps asks again about results of one kind. What a target's first one does not show, its others are not asked
// about.
func (j *job) followUps(ctx context.Context, of func(report.Result) bool) {
	untold := 0
	for position := range j.over {
		for i := range j.checks {
			if untold == enoughUntold || ctx.Err() != nil {
				return
			}
			asked, told := j.followUp(ctx, position, i, of)
			if asked && !told {
				untold++
				break
			}
		}
	}
}

// followUp asks again about one result, and reports whether it has another reason then.
func (j *job) followUp(ctx context.Context, position, check int, of func(report.Result) bool) (asked, told bool) {
	at, c := position*len(j.checks)+check, j.checks[check]
	r, definition := j.results[at], scenario.Registry[c.Type]
	if !of(r) || definition.FollowUp == nil {
		return false, false
	}
	ask := definition.FollowUp(c.Variant)
	if ask == nil {
		return false, false
	}
	env := j.over[position].env
	if port := j.ports[at]; env.OpenFrom != nil && port != 0 && !definition.NewPorts {
		env = *fromPort(env, port)
	}
	env.Spec, env.Purpose = j.plan.Scenarios[c.Scenario], c.String()
	f, o := ask(ctx, &env, verdict.LostAlways(r))
	j.count([]flow.Outcome{o})
	if j.results[at] = verdict.WithFollowUp(r, f, j.plan.Alpha); definition.NewPorts && f.Tells() {
		j.results[at].Evidence = o.Evidence
	}
	return true, f.Tells()
}
