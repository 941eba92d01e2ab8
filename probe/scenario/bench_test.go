package scenario

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// flow runs one flow of a scenario against a scripted peer.
func flow(t *testing.T, scenario string, b *conntest.Bench) Outcome {
	return ask(t, scenario, "Push", b)
}

// ask runs one flow of a scenario's variant.
func ask(t *testing.T, scenario, variant string, b *conntest.Bench) (o Outcome) {
	t.Helper()
	b.Run(t, func(t *testing.T, ctx context.Context) {
		e := &Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace, Background: &verdict.Background{}, Alpha: 1e-7, Budget: verdict.NewBudget(1e-7)}
		e.Order.AcceptQueue = &plan.AcceptQueue{MaxConnections: 8}
		o = Registry[scenario].Flow(variant)(ctx, e)
	})
	return o
}

const delay = 100 * time.Microsecond

// through delivers everything that the rule does not drop.
func through(drop func(s *segment.Segment, toPeer bool) bool) func() conntest.Path {
	return func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if drop(s, toPeer) {
				return nil
			}
			return []time.Duration{delay}
		}
	}
}

// rules of misbehaving switches, on the way to the peer.
func pushAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags.Has(segment.PSH)
}

func finPushResetAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags&(segment.FIN|segment.PSH|segment.RST) != 0
}

func everyPush(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags.Has(segment.PSH) }

func everything(*segment.Segment, bool) bool { return true }

func nothing(*segment.Segment, bool) bool { return false }

// random loses a share of the segments, both ways.
func random(r *rand.Rand, share float64) func(*segment.Segment, bool) bool {
	return func(*segment.Segment, bool) bool { return r.Float64() < share }
}

// bursts is a two-state channel by time (Gilbert-Elliott): everything is lost for about mean, for the
// given share of the time. It has been running for a while when the first segment comes.
func bursts(r *rand.Rand, share float64, mean time.Duration) func(*segment.Segment, bool) bool {
	turn, lost := time.Now().Add(-100*mean), true
	return func(*segment.Segment, bool) bool {
		for !turn.After(time.Now()) {
			lost = !lost
			length := float64(mean)
			if !lost {
				length *= (1 - share) / share
			}
			turn = turn.Add(time.Duration(r.ExpFloat64() * length))
		}
		return lost
	}
}
