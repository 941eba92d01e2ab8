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

// An RST that a device sent leaves the peer's connection open. Where nothing tells whose it was, the end of the
// connection sends an RST of its own all the same.
func TestEndAfterADevicesRST(t *testing.T) {
	for name, hopLimit := range map[string]uint8{"with another hop limit": 61, "with the peer's": conntest.PeerHopLimit} {
		peer := &conntest.Listener{}
		data := func(s *segment.Segment) bool { return s.Flags.Has(segment.PSH) }
		mute := func(s *segment.Segment, toPeer bool) bool { // nothing that asks whether the peer holds it arrives
			return toPeer && s.PayloadLen() > 0 && !s.Flags.Has(segment.PSH)
		}
		b := &conntest.Bench{Peer: &conntest.Resetter{Peer: peer, Resets: data, HopLimit: hopLimit},
			Path: conntest.Dropping(mute)}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			k := dial(t, ctx, b, seq.At(1000), conn.SynAck)
			k.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte{0}})
			k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return k.Reset() })
			if !k.Reset() {
				t.Fatal("no RST came")
			}
			if e, err := k.End(ctx); err != nil {
				t.Errorf("%s: confirmed %t: %v\n%s", name, e.Confirmed, err, k.Evidence())
			}
		})
		if peer.Live() > 0 {
			t.Errorf("%s: the peer holds %d", name, peer.Live())
		}
	}
}

// A device may answer everything in the peer's name, and pass it on as well: the SYN, or what asks whether the peer
// holds the connection. An RST is sent all the same.
func TestEndWhereADeviceAnswersAll(t *testing.T) {
	syn := func(s *segment.Segment) bool { return s.Flags.Has(segment.SYN) }
	for name, c := range map[string]struct {
		resets func(*segment.Segment) bool
		want   conn.Answer
	}{
		"the SYN":         {syn, conn.ResetAnswer},
		"all but the SYN": {func(s *segment.Segment) bool { return !syn(s) }, conn.SynAck},
	} {
		peer := &conntest.Listener{}
		b := &conntest.Bench{Peer: &conntest.Resetter{Peer: peer, Resets: c.resets, HopLimit: conntest.PeerHopLimit,
			Forwards: true}}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			k := dial(t, ctx, b, seq.At(1000), c.want)
			k.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return k.Reset() })
			if e, err := k.End(ctx); err != nil {
				t.Errorf("%s: confirmed %t: %v\n%s", name, e.Confirmed, err, k.Evidence())
			}
		})
		if peer.Live() > 0 {
			t.Errorf("%s: the peer holds %d", name, peer.Live())
		}
	}
}
