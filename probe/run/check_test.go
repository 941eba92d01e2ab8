package run

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Where an earlier variant was lost and this one is only late, the late answer that the leading flow gets revokes the
// convictions of those that followed it and had waited less.
func TestFlowsThatFollowedARevokedConvictionAreAskedAnew(t *testing.T) {
	p := &plan.Plan{Paths: 8, Alpha: 1e-3, PacketsPerSecond: 2000, Sources: map[string][]int{"kn1": {0}},
		Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "SequenceWrap", Variants: []string{"Push"}}}}
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if toPeer && s.Seq.IsZero() {
				return []time.Duration{3500 * time.Millisecond}
			}
			return []time.Duration{conntest.Delay}
		}
	}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace, Alpha: j.alpha,
			Background: &verdict.Background{}, Lateness: &verdict.Lateness{}}
		env.Lateness.Lost()
		a := checkAlone(ctx, j, env)
		followed := 0
		for _, f := range a.pooled {
			if f.Followed {
				followed++
			}
		}
		if followed == 0 {
			t.Error("no flow followed the one that was revoked, so nothing is shown")
		}
		for _, f := range a.flows {
			if f.Verdict != report.Fail || f.Reason != report.SequenceZeroDelayed {
				t.Errorf("%s / %s: %s", f.Verdict, f.Reason, f.Message)
			}
		}
	})
}
