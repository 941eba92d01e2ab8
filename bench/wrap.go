package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// wrapTime is the time that the flows of one SequenceWrap took together, from the choice of the first port to the last
// verdict. Each connection's reset was confirmed.
type wrapTime struct {
	Milliseconds float64 `json:"milliseconds"`
}

// measureWrap runs so many flows of SequenceWrap at the same time to one target, as a run does, but without pacing.
func measureWrap(ctx context.Context, s *conn.Stack, o task) (wrapTime, error) {
	alpha := 1e-3 / float64(o.Flows)
	env := flow.Env{Open: s.Open, Remote: o.Targets[0], Pace: unpaced, Background: &verdict.Background{}, Alpha: alpha,
		Budget: verdict.NewBudget(alpha), Firsts: verdict.NewFirsts(alpha), Wraps: verdict.NewWraps(alpha),
		Alikes: verdict.NewAlikes(alpha), Lateness: &verdict.Lateness{}, Sizes: &flow.Sizes{}}
	run := scenario.Registry["SequenceWrap"].Flow("Push")
	outcomes := make([]flow.Outcome, o.Flows)
	var all sync.WaitGroup
	start := time.Now()
	for i := range outcomes {
		all.Go(func() { outcomes[i] = run(ctx, &env) })
	}
	all.Wait()
	took := time.Since(start)
	for _, f := range outcomes {
		if f.Verdict != report.Pass {
			return wrapTime{}, fmt.Errorf("a clean path's SequenceWrap was %s / %s: %s", f.Verdict, f.Reason, f.Message)
		}
	}
	return wrapTime{took.Seconds() * 1000}, nil
}
