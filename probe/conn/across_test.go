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

// Where no segment arrives that starts after 0, a connection that has crossed it is ended by a FIN handshake in
// segments that start before. If the application does not close, or those are lost too, it is told that the peer keeps
// it.
func TestEndWhereTheWrapBreaks(t *testing.T) {
	for _, c := range []struct {
		name      string
		crossed   int // bytes after 0 that the peer has
		closes    bool
		device    conntest.Drop
		confirmed bool
	}{
		{"at 0", 0, true, conntest.UpTo(1000), true},
		{"beyond 0", 40, true, conntest.UpTo(1000), true},
		{"nobody closes", 40, false, conntest.UpTo(1000), false},
		{"a few numbers", 40, false, conntest.UpTo(50), true},
		{"all that follows is lost", 0, true, conntest.AfterWrap(true), false},
		{"a healthy path", 40, true, conntest.DropNone, true},
	} {
		peer := &conntest.Listener{ClosesAtEOF: c.closes}
		b := &conntest.Bench{Peer: peer, Path: conntest.Dropping(c.device)}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			k := dial(t, ctx, b, seq.At(0).Add(-101), conn.SynAck)
			k.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: make([]byte, 100+c.crossed)})
			until := seq.At(uint32(c.crossed))
			k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return k.Acked() == until })
			e, err := k.End(ctx)
			if err != nil || e.Confirmed != c.confirmed || (peer.Live() == 0) != c.confirmed {
				t.Errorf("%s: confirmed %t, the peer holds %d: %v\n%s", c.name, e.Confirmed, peer.Live(), err, k.Evidence())
			}
		})
	}
}

// Where a device drops everything at the number that the peer expects, the connection ends at another one.
func TestEndWhereItsNumberIsLost(t *testing.T) {
	const every = 256
	lost := func(s *segment.Segment, toPeer bool) bool {
		return toPeer && s.Seq.Uint32()%every == 0 && !s.Flags.Has(segment.SYN)
	}
	for _, crossed := range []int{every, every + 1} {
		peer := &conntest.Listener{}
		b := &conntest.Bench{Peer: peer, Path: conntest.Dropping(lost)}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			k := dial(t, ctx, b, seq.At(0).Add(-101), conn.SynAck)
			k.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: make([]byte, 100+crossed)})
			until := seq.At(uint32(crossed))
			k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return k.Acked() == until })
			if e, err := k.End(ctx); err != nil || !e.Confirmed || peer.Live() > 0 {
				t.Errorf("%d bytes beyond 0: confirmed %t, the peer holds %d: %v\n%s", crossed, e.Confirmed, peer.Live(), err,
					k.Evidence())
			}
		})
	}
}
