package sequencewrap

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// If the peer sends no DSACKs and there are more answers than beacons, it is unknown which were answered. Such a block
// proves nothing.
func TestSurplusAnswersProveNothing(t *testing.T) {
	path := func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case conntest.PushAtZero(s, toPeer):
				return nil
			case !toPeer:
				return []time.Duration{conntest.Delay, conntest.Delay}
			}
			return []time.Duration{conntest.Delay}
		}
	}
	o := ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{NoDSACK: true}, Path: path})
	if o.Reason != report.PathLossy {
		t.Errorf("%s, want PathLossy: %s", o.Reason, o.Message)
	}
}

// Neither loss, bursts nor reordering are reported as a rule about sequence 0.
func TestLossIsNotBlamedOnSequenceZero(t *testing.T) {
	const flows = 300
	for _, share := range []float64{0.01, 0.05, 0.2} {
		t.Run(fmt.Sprintf("random %.0f %%", share*100), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(share*100)))
			neverBlamesZero(t, flows, conntest.Dropping(conntest.DropRandomly(r, share)))
		})
	}
	t.Run("bursts", func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		neverBlamesZero(t, flows, func() conntest.Path {
			return conntest.Dropping(conntest.DropInBursts(r, 0.05, 50*time.Millisecond))()
		})
	})
	t.Run("reordering and duplication", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		neverBlamesZero(t, flows, func() conntest.Path {
			return func(*segment.Segment, bool) []time.Duration {
				out := []time.Duration{conntest.Delay + time.Duration(r.IntN(20))*time.Millisecond}
				if r.IntN(10) == 0 {
					out = append(out, out[0]+time.Duration(r.IntN(20))*time.Millisecond)
				}
				return out
			}
		})
	})
}

func neverBlamesZero(t *testing.T, flows int, path func() conntest.Path) {
	got := flowtest.Reasons(t, flows, func(int) flow.Outcome {
		return ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{}, Path: path})
	}, func(o flow.Outcome) bool { return o.Reason == report.SequenceZeroDropped })
	if got[report.Delivered] < flows*9/10 {
		t.Errorf("%v: fewer than nine of ten flows passed", got)
	}
}

// A deterministic rule is also found under loss. If it cannot be confirmed, the result is not Pass.
func TestRuleIsFoundUnderLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	const flows = 100
	for _, share := range []float64{0.01, 0.05, 0.2} {
		r := rand.New(rand.NewPCG(4, uint64(share*100)))
		lose := conntest.DropRandomly(r, share)
		path := conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			return conntest.PushAtZero(s, toPeer) || lose(s, toPeer)
		})
		got := flowtest.Reasons(t, flows, func(int) flow.Outcome {
			return ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{}, Path: path})
		}, flowtest.Passed)
		if got[report.SequenceZeroDropped] < flows*97/100 {
			t.Errorf("%.0f %% loss: %v, want nearly all failed", share*100, got)
		}
	}
}
