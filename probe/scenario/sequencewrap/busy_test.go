package sequencewrap

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// stalling is a path that now and then does not get to run: what comes meanwhile goes on at the end of the stall. What
// drops says is lost.
func stalling(drops conntest.Drop) func() conntest.Path {
	const apart, longest = 2 * time.Second, 300 * time.Millisecond
	return func() conntest.Path {
		var from, until time.Time
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			now := time.Now()
			for !now.Before(until) {
				if until.IsZero() {
					until = now
				}
				from = until.Add(rand.N(apart))
				until = from.Add(rand.N(longest))
			}
			switch {
			case drops(s, toPeer):
				return nil
			case now.Before(from):
				return []time.Duration{conntest.Delay}
			}
			return []time.Duration{until.Sub(now) + conntest.Delay}
		}
	}
}

// Where answers are late because a host does not get to run, what is lost by its length is still found, or nothing is.
func TestLossByLengthOnABusyMachine(t *testing.T) {
	short := func(s *segment.Segment, toPeer bool) bool {
		return startsAtZero(s, toPeer) && s.PayloadLen() > 0 && s.PayloadLen() < 50
	}
	got := flowtest.Reasons(t, 300, func(int) flow.Outcome {
		return ask(t, "Data", &conntest.Bench{Peer: &conntest.Listener{}, Path: stalling(short)})
	}, func(o flow.Outcome) bool {
		return o.Verdict == report.Fail && o.Reason != report.SequenceZeroDroppedBySize
	})
	if got[report.SequenceZeroDroppedBySize] < 200 {
		t.Errorf("seldom found: %v", got)
	}
}
