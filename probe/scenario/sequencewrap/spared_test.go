package sequencewrap

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// The flow that leads always waits as long as a late answer may take. Those that follow are spared that, unless an
// answer came late at this target.
func TestOnlyFollowingFlowsAreSparedTheLongWait(t *testing.T) {
	late := milliseconds(0)
	path := func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case !toPeer || !s.Seq.IsZero():
				return []time.Duration{conntest.Delay}
			case late > 0:
				return []time.Duration{late}
			}
			return nil
		}
	}
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: path}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		e := flowtest.Env(b)
		e.Pace, e.Spec = paceOf(2000), plan.Scenario{}
		for i, c := range []struct {
			variant string
			late    time.Duration
			want    report.Reason
			leads   time.Duration // how long the first flow waits at least
			follows time.Duration // and the second one
		}{
			{"Push", 0, report.SequenceZeroDropped, convictAfter, lostAfter},
			{"Data", 0, report.SequenceZeroDropped, convictAfter, lostAfter},
			{"Syn", 0, report.SequenceZeroDropped, convictAfter, lostAfter},
			{"UrgentPush", 3 * time.Second, report.SequenceZeroDelayed, 3 * time.Second, 3 * time.Second},
			{"PushFin", 0, report.SequenceZeroDropped, convictAfter, convictAfter},
		} {
			late, e.Budget, e.Firsts = c.late, verdict.NewBudget(e.Alpha), verdict.NewFirsts(e.Alpha)
			for flow, least := range []time.Duration{c.leads, c.follows} {
				began := time.Now()
				o := Definition.Flow(c.variant)(ctx, e)
				took := time.Since(began)
				spared := least == lostAfter
				if o.Reason != c.want || took < least || spared && took > convictAfter || o.Followed != (flow == 1 && c.late == 0) {
					t.Errorf("%d, %s, flow %d: %s after %s, followed %t: %s", i, c.variant, flow, o.Reason, took, o.Followed,
						o.Message)
				}
			}
		}
	})
}
