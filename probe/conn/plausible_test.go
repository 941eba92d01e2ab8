package conn_test

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// forger is a listener that acknowledges old bytes with other numbers than the right ones.
type forger struct {
	conntest.Listener
	seq, ack int // distances from the right numbers
	flags    segment.Flags
}

func (f *forger) Receive(s *segment.Segment) []*segment.Segment {
	out := f.Listener.Receive(s)
	for _, g := range out {
		if g.Flags == segment.ACK {
			g.Seq, g.Ack, g.Flags = g.Seq.Add(f.seq), g.Ack.Add(f.ack), f.flags
			g.SACK = nil
		}
	}
	return out
}

// Whoever does not see a connection must guess one of 2^15 sequence numbers and one of 2^16 acknowledgement numbers.
// These are the last numbers that count and the first that do not. 4 bytes are sent ahead of what is acknowledged.
func TestOnlyPlausibleAcknowledgementsCount(t *testing.T) {
	for _, c := range []struct {
		name     string
		seq, ack int
		flags    segment.Flags
		counts   bool
	}{
		{"right", 0, 0, segment.ACK, true},
		{"an older one that was overtaken", -65535, 0, segment.ACK, true},
		{"older than the window", -65536, 0, segment.ACK, false},
		{"the last of the window", 65534, 0, segment.ACK, true},
		{"beyond the window", 65535, 0, segment.ACK, false},
		{"half the numbers away", 1 << 31, 0, segment.ACK, false},
		{"the oldest acknowledgement", 0, -65534, segment.ACK, true},
		{"older than the window that the peer may have", 0, -65535, segment.ACK, false},
		{"all that was sent", 0, 4, segment.ACK, true},
		{"more than was sent", 0, 5, segment.ACK, false},
		{"half the acknowledgements away", 0, 1 << 31, segment.ACK, false},
		{"nothing acknowledged", 0, 0, segment.PSH, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &forger{flags: segment.ACK}
			lost := false
			b := &conntest.Bench{Peer: f, Path: func() conntest.Path {
				return func(_ *segment.Segment, toPeer bool) []time.Duration {
					if toPeer && lost {
						return nil
					}
					return []time.Duration{time.Millisecond}
				}
			}}
			b.Run(t, func(t *testing.T, ctx context.Context) {
				k := dial(t, ctx, b, seq.At(7), conn.SynAck)
				lost = true
				k.Send(conn.Step{Part: evidence.Data, Flags: segment.ACK, Payload: []byte("lost")})
				lost = false
				f.seq, f.ack, f.flags = c.seq, c.ack, c.flags
				k.SendBeacon(k.ISS.Add(-conn.OldByteOffset), 0)
				got := k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return true })
				if got != c.counts {
					t.Errorf("taken as an answer: %t, want %t", got, c.counts)
				}
				f.seq, f.ack, f.flags = 0, 0, segment.ACK
				end(t, ctx, b, k)
			})
		})
	}
}

// Of a connection that a killed process left, the ledger may not know the peer's numbers: then any counts.
func TestNumbersOfAnUnknownPeerCount(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.SynAck)
		b.ReleasePort(c.Local())
		k, err := b.Stack.Resume(ctx, ledger.Entry{Local: c.Local(), Remote: conntest.Remote, Next: c.SendNext()})
		if err != nil {
			t.Fatal(err)
		}
		k.SendBeacon(c.ISS.Add(-conn.OldByteOffset), 0)
		if !k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return true }) {
			t.Error("the peer's answer did not count")
		}
		end(t, ctx, b, k)
	})
}
