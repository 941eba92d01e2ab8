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

func rstToPeer(s *segment.Segment, toPeer bool) bool   { return toPeer && s.Flags.Has(segment.RST) }
func rstFromPeer(s *segment.Segment, toPeer bool) bool { return !toPeer && s.Flags.Has(segment.RST) }

// rstBothWays is a device that lets no RST through.
func rstBothWays(s *segment.Segment, _ bool) bool { return s.Flags.Has(segment.RST) }

// finBesideRST drops FINs too.
func finBesideRST(s *segment.Segment, toPeer bool) bool {
	return toPeer && (s.Flags.Has(segment.RST) || s.Flags.Has(segment.FIN))
}

// TestEndsWithoutRSTs: what is said of a connection's end is what the peer holds. Where its RSTs, or those to it, are
// dropped, a FIN handshake ends it if the application closes. Silence is never said to be a connection that is left.
func TestEndsWithoutRSTs(t *testing.T) {
	forgotten := false
	type ending struct {
		peer            *conntest.Listener
		drop            conntest.Drop
		confirmed, left bool
		live            int
	}
	for name, c := range map[string]ending{
		"no firewall":            {&conntest.Listener{}, conntest.DropNone, true, false, 0},
		"RSTs to it are dropped": {&conntest.Listener{ClosesAtEOF: true}, rstToPeer, true, false, 0},
		"RSTs to it are dropped, no DSACK": {&conntest.Listener{ClosesAtEOF: true, NoDSACK: true}, rstToPeer, true, false,
			0},
		"and its application never closes": {&conntest.Listener{}, rstToPeer, false, true, 1},
		"RSTs and FINs to it are dropped":  {&conntest.Listener{ClosesAtEOF: true}, finBesideRST, false, true, 1},
		"its own RSTs are dropped":         {&conntest.Listener{}, rstFromPeer, false, false, 0},
		"RSTs are dropped both ways":       {&conntest.Listener{ClosesAtEOF: true}, rstBothWays, false, false, 0},
		"both ways, and it never closes":   {&conntest.Listener{}, rstBothWays, false, true, 1},
		"a device forgot the connection": {&conntest.Listener{},
			func(*segment.Segment, bool) bool { return forgotten }, false, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			forgotten = false
			b := &conntest.Bench{Peer: c.peer, Path: conntest.Dropping(c.drop)}
			b.Run(t, func(t *testing.T, ctx context.Context) {
				k := dial(t, ctx, b, seq.At(1000), conn.SynAck)
				k.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte{1, 2}})
				forgotten = true
				e, err := k.End(ctx)
				if err != nil || e.Confirmed != c.confirmed || e.Left != c.left || c.peer.Live() != c.live {
					t.Errorf("confirmed %t, left %t; the peer holds %d; %v\n%s", e.Confirmed, e.Left, c.peer.Live(), err,
						k.Evidence())
				}
			})
		})
	}
}

// TestAnRSTOfADeviceConfirmsNothing: a device that forgot the connection answers everything in the peer's name. Its
// hop limit tells that the peer said nothing.
func TestAnRSTOfADeviceConfirmsNothing(t *testing.T) {
	for hopLimit, confirmed := range map[uint8]bool{61: false, conntest.PeerHopLimit: true} {
		peer := &conntest.Listener{}
		forgotten := false
		b := &conntest.Bench{Peer: &conntest.Resetter{Peer: peer, HopLimit: hopLimit,
			Resets: func(*segment.Segment) bool { return forgotten }}, Path: conntest.Dropping(rstToPeer)}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			k := dial(t, ctx, b, seq.At(1000), conn.SynAck)
			k.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte{1, 2}})
			k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return k.Acked() == k.SendNext() })
			forgotten = true
			if e, _ := k.End(ctx); e.Confirmed != confirmed || e.Left {
				t.Errorf("hop limit %d: confirmed %t, left %t\n%s", hopLimit, e.Confirmed, e.Left, k.Evidence())
			}
		})
	}
}

// TestLateAnswersAreNoConnection: acknowledgements that answer questions from before the last RST come when the
// connection is gone.
func TestLateAnswersAreNoConnection(t *testing.T) {
	peer := &conntest.Listener{}
	slow := func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case rstFromPeer(s, toPeer):
				return nil
			case !toPeer && len(s.SACK) > 0:
				return []time.Duration{5 * time.Second}
			}
			return []time.Duration{conntest.Delay}
		}
	}
	b := &conntest.Bench{Peer: peer, Path: slow}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		k := dial(t, ctx, b, seq.At(1000), conn.SynAck)
		for i := range 3 {
			k.SendBeacon(k.ISS.Add(-conn.OldByteOffset-100-i), 0)
		}
		if e, _ := k.End(ctx); e.Confirmed || e.Left || peer.Live() > 0 {
			t.Errorf("confirmed %t, left %t; the peer holds %d\n%s", e.Confirmed, e.Left, peer.Live(), k.Evidence())
		}
	})
}

// repeater sends its data once more when an RST comes, as one that has not got the acknowledgement yet.
type repeater struct {
	conntest.Listener
	data       segment.Segment
	reset      bool
	afterReset []string // bare ACKs that came after the RST
}

func (p *repeater) Receive(s *segment.Segment) []*segment.Segment {
	bare := s.Flags == segment.ACK && s.PayloadLen() == 0
	if p.reset && bare {
		p.afterReset = append(p.afterReset, s.String())
	}
	out := p.Listener.Receive(s)
	switch {
	case s.Flags == segment.SYN:
		p.data = segment.Segment{Source: s.Destination, Destination: s.Source, Flags: segment.PSH | segment.ACK,
			Seq: out[0].Seq.Add(1), Ack: s.Seq.Add(1), Payload: []byte{1}, WindowScale: -1}
	case s.Flags.Has(segment.RST):
		p.reset = true
		out = append(out, &p.data)
	case s.PayloadLen() > 0 && !p.reset:
		out = append(out, &p.data)
	}
	return out
}

// TestNoAcknowledgementAfterAnRST: an ACK after the RST may be a valid SYN cookie, and a listener makes a connection of
// it.
func TestNoAcknowledgementAfterAnRST(t *testing.T) {
	peer := &repeater{}
	b := &conntest.Bench{Peer: peer}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		k := dial(t, ctx, b, seq.At(1000), conn.SynAck)
		k.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte{1}})
		k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return k.Acked() == k.SendNext() })
		e, err := k.End(ctx)
		time.Sleep(time.Second) // on the fake clock: what was sent arrives
		if err != nil || !e.Confirmed || !peer.reset || len(peer.afterReset) > 0 {
			t.Errorf("%+v, %v: after the RST came %v\n%s", e, err, peer.afterReset, k.Evidence())
		}
	})
}
