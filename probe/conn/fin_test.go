package conn_test

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// With HoldFIN, no segment acknowledges the peer's FIN until ReleaseFIN is called.
func TestHeldFIN(t *testing.T) {
	for _, reply := range []int{0, 700} {
		b := &conntest.Bench{Peer: &conntest.Closer{CloseAfter: "x", Reply: reply}}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			c := dial(t, ctx, b, seq.At(1<<32-2), conn.SynAck)
			c.HoldFIN = true
			if _, held := c.PeerFIN(); held {
				t.Error("PeerFIN returns a FIN that was not sent")
			}
			c.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte("x")})
			c.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return c.Closed() })
			fin, held := c.PeerFIN()
			if !held || acknowledged(b, fin.Add(1)) || reply > 0 && !acknowledged(b, fin) {
				t.Errorf("held %v at %s after %d bytes\n%s", held, fin, reply, c.Evidence())
			}
			c.ReleaseFIN()
			c.Send(conn.Step{Part: evidence.ACK, Flags: segment.ACK})
			if !acknowledged(b, fin.Add(1)) {
				t.Errorf("the FIN %s is not acknowledged after its release", fin)
			}
			end(t, ctx, b, c)
		})
	}
}

// acknowledged reports whether a segment with that acknowledgement number was sent.
func acknowledged(b *conntest.Bench, n seq.Number) bool {
	for _, s := range b.Wire.Sent() {
		if s.Flags.Has(segment.ACK) && s.Ack == n {
			return true
		}
	}
	return false
}

// A connection that both sides have closed is over, though the peer ignores RSTs from then on: its end takes short and
// leaves nothing. One that the peer alone has closed is not over.
func TestEndInTimeWait(t *testing.T) {
	for _, mine := range []bool{true, false} {
		b := &conntest.Bench{Peer: &conntest.Closer{CloseAfter: "x", OutlivesReset: true}}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			c := dial(t, ctx, b, seq.At(1<<32-2), conn.SynAck)
			c.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte("x")})
			c.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return c.Closed() })
			if mine {
				c.Send(conn.Step{Part: evidence.Data, Flags: segment.FIN | segment.ACK})
				c.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return c.Acked() == c.SendNext() })
			}
			started := time.Now()
			e, err := c.End(ctx)
			if took := time.Since(started); err != nil || !e.Confirmed || took > time.Second {
				t.Errorf("this side closed too: %t; confirmed %t after %v: %v\n%s", mine, e.Confirmed, took, err, c.Evidence())
			}
		})
	}
}
