package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// answer has the outcomes of a check's flows.
type answer struct {
	flows   []flow.Outcome
	pooled  []flow.Outcome   // outcomes of further flows, for the test over all flows, and of those that were asked anew
	finding *verdict.Finding // finding of that test
	plain   route.Hop        // next hop of the route to the target's address, whatever the port
	perPath bool             // flows may take different paths, so a share of flows may be one of paths
	again   []flow.Outcome   // outcomes of source ports that were asked again
	repeats verdict.Repeats  // how these compare with the first answers
	note    string           // why there are fewer flows than paths
	before  *verdict.Losses  // of flows that passed and were asked anew; nil: none were

	openedAlone int // flows that came to a connection only when nothing else was asked
}

// runCheck runs the flows of a check, as many at once as there are turns.
func (j *job) runCheck(ctx context.Context, c plan.Check, env flow.Env, opened *openings, w *working) answer {
	definition, known := scenario.Registry[c.Type]
	switch {
	case !known:
		return answer{flows: j.notStarted(fmt.Errorf("scenario %s is not known to this prober", c.Type))}
	case !definition.Has(c.Variant):
		return answer{flows: j.notStarted(
			fmt.Errorf("variant %q of scenario %s is not known to this prober", c.Variant, c.Type))}
	}
	if known := env.Accepting.Known(); known != nil {
		return answer{flows: []flow.Outcome{{Finding: verdict.ResetsOnAccept(known)}}}
	}
	run := definition.Flow(c.Variant)
	env.Budget, env.Firsts = verdict.NewBudget(j.alpha), verdict.NewFirsts(j.alpha)
	env.Wraps, env.Alikes, env.Purpose = verdict.NewWraps(j.alpha), verdict.NewAlikes(j.alpha), c.String()
	env.Sizes, env.LateSYNs = &flow.Sizes{}, &verdict.LateSYNs{}
	if definition.Serial { // it bounds its connections, and tells who resets, by itself
		j.serial.Lock()
		defer j.serial.Unlock()
		env.Accepting = nil
	} else {
		env.Open = opened.Open
	}
	n, fixed := definition.Number(c.Variant, j.plan.Paths)
	a := answer{perPath: !fixed}
	if !fixed {
		n = opened.allowance.flows(n, len(j.checks))
		a.note = verdict.AskedLess(n, j.plan.Paths)
	}
	if opened.host != nil && !definition.Serial { // a queue is not filled anew for that
		run = opened.host.withReturns(run)
	}
	oneHop := opened.byOneHop(run, definition.Serial)
	a.flows = runFlows(ctx, n, oneHop, env, opened, w)
	opened.awaitKernel()
	// A queue is not filled once more for that: only so much was consented to.
	if established, gone := opened.listenerGone(); gone && (definition.Serial || a.refusedAlone(ctx, run, env)) {
		for i := range a.flows {
			a.flows[i].NoteListenerGone(established)
		}
	}
	noteUnreachable(a.flows)
	askFollowers(ctx, oneHop, &env, opened.turns, &a)
	if opened.allowance == nil { // else no connections are left for it
		j.askAnew(ctx, c, run, env, opened, &a)
	}
	return a
}

// askAnew asks in further connections what the flows have left open.
func (j *job) askAnew(ctx context.Context, c plan.Check, run flow.Func, env flow.Env, opened *openings, a *answer) {
	definition := scenario.Registry[c.Type]
	if !definition.Serial {
		askUnopened(ctx, run, env, opened, a)
	}
	if c.Type == "SequenceWrap" {
		askAboutLosses(ctx, opened.byOneHop(run, definition.Serial), &env, opened.turns, a)
	}
	if definition.Pool != nil {
		j.pool(ctx, c, definition.Pool(c.Variant), &env, opened.turns, a)
	}
	j.askAgain(ctx, run, env, opened.turns, a)
	a.noteLimits(ctx, run, env)
}

// noteUnreachable gives the finding of an ICMP error to flows that got nothing at all: hosts and routers limit how many
// they send, so one outweighs the silence that other flows saw.
func noteUnreachable(flows []flow.Outcome) {
	i := slices.IndexFunc(flows, func(o flow.Outcome) bool { return o.Reason == report.Unreachable })
	if i < 0 {
		return
	}
	found := flows[i].Finding
	silent := 0
	for _, o := range flows {
		if o.Reason == report.Filtered {
			silent++
		}
	}
	if silent == 0 {
		return
	}
	found = found.BesideSilence(silent, len(flows))
	for k, o := range flows {
		if o.Reason == report.Filtered || o.Reason == report.Unreachable {
			flows[k].Finding = found
		}
	}
}

// runFlows runs so many flows, each in a turn. A flow says when it only waits for late answers. It may ask to be alone.
func runFlows(ctx context.Context, n int, run flow.Func, env flow.Env, opened *openings, w *working) []flow.Outcome {
	solo := newSolitude(cap(opened.turns))
	env.Alone = func(ctx context.Context, ask func() bool) bool { return solo.alone(ctx, opened, ask) }
	w.add(n, 0)
	return parallel(n, opened.turns, func(int) flow.Outcome {
		solo.begin()
		defer solo.end()
		e := env
		rest, end := w.flow()
		defer end()
		e.Rest = rest
		return run(ctx, &e)
	})
}

// askFollowers asks anew, in fresh connections, flows whose conviction followed that of one that came to nothing. One
// of them may lead then.
func askFollowers(ctx context.Context, ask flow.Func, env *flow.Env, turns turns, a *answer) {
	for !env.Budget.Stands() {
		var which []int
		for i, f := range a.flows {
			if f.Followed {
				which = append(which, i)
			}
		}
		if len(which) == 0 {
			return
		}
		for k, o := range parallel(len(which), turns, func(int) flow.Outcome { return ask(ctx, env) }) {
			a.pooled = append(a.pooled, a.flows[which[k]])
			a.flows[which[k]] = o
		}
	}
}
