package conntest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Segments that are sent at the same instant arrive in order, in both directions, with every delay.
func TestScriptedKeepsTheOrder(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			var arrived, want, answered []uint32
			echo := func(s *segment.Segment) []*segment.Segment {
				arrived = append(arrived, s.Seq.Uint32())
				return []*segment.Segment{s}
			}
			w := NewScriptedWire(echo, func(*segment.Segment, bool) []time.Duration { return []time.Duration{delay} })
			for n := range uint32(1000) {
				want = append(want, n)
				if _, err := w.Send(&segment.Segment{Seq: seq.At(n)}); err != nil {
					t.Fatal(err)
				}
			}
			for range want {
				p, err := w.Receive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				answered = append(answered, p.Segment.Seq.Uint32())
			}
			if !slices.Equal(arrived, want) || !slices.Equal(answered, want) {
				t.Errorf("delay %v: arrived %v, answered %v", delay, arrived, answered)
			}
		})
	}
}
