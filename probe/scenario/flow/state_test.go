package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// late answers the second SYN with an RST to something earlier, before the SYN-ACK.
type late struct {
	conntest.Listener
	syns int
}

func (l *late) Receive(s *segment.Segment) []*segment.Segment {
	out := l.Listener.Receive(s)
	if s.Flags == segment.SYN {
		if l.syns++; l.syns == 2 {
			rst := *out[0]
			rst.Flags, rst.Ack = segment.RST|segment.ACK, rst.Ack.Add(-1000)
			out = append([]*segment.Segment{&rst}, out...)
		}
	}
	return out
}

// A connection that was not opened again after its end is not one that may be left. One whose end nothing confirms is.
func TestOnlyOpenedConnectionsMayBeLeft(t *testing.T) {
	deaf := false
	path := func() conntest.Path {
		return func(_ *segment.Segment, toPeer bool) []time.Duration {
			if deaf && toPeer {
				return nil
			}
			return []time.Duration{time.Millisecond}
		}
	}
	for _, opensAgain := range []bool{true, false} {
		peer := &late{}
		b := &conntest.Bench{Peer: peer, Path: path}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			s := &flow.State{Env: &flow.Env{Open: b.Stack.Open, Remote: conntest.Remote}}
			c := s.Open(ctx, seq.At(7))
			s.Opening = c.Handshake(ctx, conntest.Pace)
			want := 1
			if deaf = !opensAgain; opensAgain {
				want = 0
				c.Abort(ctx)
				c.NewIncarnation(seq.At(100_007))
				if o := c.TrySYN(ctx, evidence.SYN, time.Second); o.Answer != conn.WrongAck {
					t.Fatalf("the second SYN: %s", o.Answer)
				}
			}
			if s.End(ctx, c); s.Fault != nil || s.Outcome.Remains.Left+s.Outcome.Remains.Unknown != want {
				t.Errorf("opened again %t: %d may be left, want %d; %v", opensAgain,
					s.Outcome.Remains.Left+s.Outcome.Remains.Unknown, want, s.Fault)
			}
		})
		if left := peer.Live() > 0; left == opensAgain {
			t.Errorf("opened again %t: the peer holds %d", opensAgain, peer.Live())
		}
	}
}
