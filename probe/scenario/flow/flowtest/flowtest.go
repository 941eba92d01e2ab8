// Package flowtest runs flows of a scenario against a scripted peer.
package flowtest

import (
	"context"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// alpha is the flow's share of the stated error.
const alpha = 1e-7

// Env returns the environment of one flow on the bench.
func Env(b *conntest.Bench) *flow.Env {
	return &flow.Env{
		Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace,
		Background: &verdict.Background{}, Alpha: alpha, Budget: verdict.NewBudget(alpha),
		Firsts: verdict.NewFirsts(alpha), Wraps: verdict.NewWraps(alpha), Alikes: verdict.NewAlikes(alpha),
		Lateness: &verdict.Lateness{}, Sizes: &flow.Sizes{},
	}
}

// Run runs one flow of a scenario's variant with the given spec of the plan.
func Run(t *testing.T, d flow.Definition, variant string, spec plan.Scenario, b *conntest.Bench) (o flow.Outcome) {
	t.Helper()
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		e := Env(b)
		e.Spec = spec
		o = d.Flow(variant)(ctx, e)
	})
	return o
}

// Reasons runs so many flows and counts their reasons. A wrong outcome ends the test.
func Reasons(
	t *testing.T, flows int, run func(i int) flow.Outcome, wrong func(flow.Outcome) bool,
) map[report.Reason]int {
	t.Helper()
	got := map[report.Reason]int{}
	for i := range flows {
		o := run(i)
		if got[o.Reason]++; wrong(o) {
			t.Fatalf("%s / %s: %s\n%s", o.Verdict, o.Reason, o.Message, o.Evidence)
		}
	}
	t.Log(got)
	return got
}

// Passed reports whether the flow passed.
func Passed(o flow.Outcome) bool { return o.Verdict == report.Pass }
