package sequencewrap

import (
	"math/rand/v2"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// A path that drops most long segments, or most segments with PSH, drops most suspects but no beacon of one byte. The
// result must not be a finding about 0.
func TestLossByLengthOrFlagsIsNotBlamedOnZero(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	long := func(s *segment.Segment, toPeer bool) bool { return toPeer && s.PayloadLen() > 32 }
	for name, rule := range map[string]conntest.Drop{"length": long, "PSH": conntest.EveryPush} {
		t.Run(name, func(t *testing.T) {
			mostly := func(s *segment.Segment, toPeer bool) bool { return rule(s, toPeer) && rand.Float64() < 0.9 }
			for range 1000 {
				o := ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(mostly)})
				if o.Reason == report.SequenceZeroDropped {
					t.Errorf("%s", o.Message)
				}
			}
		})
	}
}

// A single urgent byte leaves the application nothing to read, so that the peer delays its acknowledgement.
func TestUrgentDataHasMoreThanOneByte(t *testing.T) {
	for name, least := range map[string]int{"Push": 1, "UrgentPush": 2} {
		b, shortest := &conntest.Bench{Peer: &conntest.Listener{}}, 1000
		check(t, name, 6, 2000, 1e-3, b)
		for _, s := range b.Wire.Sent() {
			if s.Flags.Has(segment.PSH) && startsAtZero(s, true) {
				shortest = min(shortest, s.PayloadLen())
			}
		}
		if shortest != least {
			t.Errorf("%s: the shortest first suspect has %d bytes, want %d", name, shortest, least)
		}
	}
}
