// Package flowtest runs flows of a scenario against a scripted peer.
package flowtest

import (
	"context"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// alpha is the flow's part of the stated error.
const alpha = 1e-7

// Env is the environment of one flow on the bench.
func Env(b *conntest.Bench) *flow.Env {
	return &flow.Env{
		Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace,
		Background: &verdict.Background{}, Alpha: alpha, Budget: verdict.NewBudget(alpha),
		Firsts: verdict.NewFirsts(alpha), Sizes: &flow.Sizes{},
	}
}

// Run runs one flow of a scenario's variant, as the plan's spec says.
func Run(t *testing.T, d flow.Definition, variant string, spec plan.Scenario, b *conntest.Bench) (o flow.Outcome) {
	t.Helper()
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		e := Env(b)
		e.Spec = spec
		o = d.Flow(variant)(ctx, e)
	})
	return o
}
