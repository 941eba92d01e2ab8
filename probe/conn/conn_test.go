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

// dial opens a connection and checks the answer to its SYN.
func dial(t *testing.T, ctx context.Context, b *conntest.Bench, iss seq.Number, want conn.Answer) *conn.Conn {
	t.Helper()
	c, err := b.Stack.Open(ctx, conntest.Remote, iss)
	if err != nil {
		t.Fatal(err)
	}
	if o := c.Handshake(ctx, conntest.Pace); o.Answer != want {
		t.Fatalf("handshake: %s, want %s\n%s", o.Answer, want, c.Evidence())
	}
	return c
}

// end ends the connection and checks that the peer holds it no longer.
func end(t *testing.T, ctx context.Context, b *conntest.Bench, c *conn.Conn) {
	t.Helper()
	e, err := c.End(ctx)
	if err != nil || !e.Confirmed || !e.Check.Clean() || b.Peer.Live() != 0 {
		t.Errorf("end: %+v %v, the peer holds %d connections\n%s", e, err, b.Peer.Live(), c.Evidence())
	}
}

func TestConnectionAcrossSequenceZero(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(1<<32-4), conn.SynAck)
		c.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte("sixbyt")})
		want := seq.At(3)
		if !c.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return c.Acked() == want }) {
			t.Errorf("6 bytes from 2^32-3 on: acknowledged %s, want %s", c.Acked(), want)
		}
		end(t, ctx, b, c)
	})
}

// An acknowledgement of bytes that were never sent is ignored (RFC 9293 section 3.10.7.4).
func TestAcknowledgementOfTheFutureIsIgnored(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if !toPeer && s.Flags == segment.ACK {
				s.Ack = s.Ack.Add(1)
			}
			return []time.Duration{time.Millisecond}
		}
	}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(1<<32-4), conn.SynAck)
		c.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Payload: []byte("sixbyt")})
		c.Next(ctx, time.Now().Add(time.Second))
		if c.Acked() != c.ISS.Add(1) {
			t.Errorf("acknowledged %s, want %s: no more than 3 was sent", c.Acked(), c.ISS.Add(1))
		}
		if _, err := c.End(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestProof(t *testing.T) {
	for _, c := range []struct {
		name string
		peer conntest.Listener
		want conn.Proof
	}{
		{"accepts", conntest.Listener{}, conn.Proof{Established: true}},
		{"without DSACK", conntest.Listener{NoDSACK: true}, conn.Proof{Established: true}},
		{"deferred", conntest.Listener{Deferred: true}, conn.Proof{Established: true, Deferred: true}},
		{"queue full", conntest.Listener{QueueFull: true}, conn.Proof{}},
	} {
		b := &conntest.Bench{Peer: &c.peer}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			k := dial(t, ctx, b, seq.At(7), conn.SynAck)
			got := k.Prove(ctx, conntest.Pace, 'G')
			if got.Established != c.want.Established || got.Deferred != c.want.Deferred || got.Lost != 0 ||
				got.Ignored > 0 == got.Established {
				t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			}
			end(t, ctx, b, k)
		})
	}
}

// A lost RST is sent again until the peer shows that it holds no connection.
func TestEndSurvivesLoss(t *testing.T) {
	lost := 0
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if toPeer && s.Flags.Has(segment.RST) && lost < 3 {
				lost++
				return nil
			}
			return []time.Duration{time.Millisecond}
		}
	}}
	b.Run(t, func(t *testing.T, ctx context.Context) { end(t, ctx, b, dial(t, ctx, b, seq.At(7), conn.SynAck)) })
	if lost != 3 {
		t.Errorf("%d RSTs were lost, want 3", lost)
	}
}

// After the run's deadline, connections are still reset.
func TestEndAfterTheDeadline(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		over, cancel := context.WithCancel(ctx)
		c := dial(t, over, b, seq.At(7), conn.SynAck)
		cancel()
		end(t, over, b, c)
	})
}

// A connection on which no SYN was sent is ended without sending anything.
func TestEndWithoutASYN(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		over, cancel := context.WithCancel(ctx)
		cancel()
		end(t, over, b, dial(t, over, b, seq.At(7), conn.NoAnswer))
	})
	if n := len(b.Wire.Sent()); n != 0 {
		t.Errorf("%d segments sent, want none", n)
	}
}

// A connection that a killed process left is reset by the process that takes over. That process knows only what the
// ledger has.
func TestResumeEndsTheConnection(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(1<<32-9), conn.SynAck)
		left := ledger.Entry{Local: c.Local(), Remote: conntest.Remote, Next: seq.At(40), Ack: seq.At(1_000_001)}
		b.ReleasePort(c.Local()) // the kernel frees the port of a dead process
		resumed, err := b.Stack.Resume(ctx, left)
		if err != nil {
			t.Fatal(err)
		}
		end(t, ctx, b, resumed)
	})
}

// The guard's counter shows that none of a flow's own segments was dropped. What nobody counts is an ICMP error, which
// matters where nothing else arrived.
func TestDroppedPacketsVoidOnlyAFlowWithoutSegments(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}, KernelDrops: true}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(1), conn.SynAck)
		if e, err := c.End(ctx); err != nil || !e.Check.Clean() {
			t.Errorf("the kernel dropped another's packet and the self-check is: %s %v", e.Check, err)
		}
		silent, err := b.Stack.Open(ctx, conntest.Remote, seq.At(1))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := silent.End(ctx); err != nil || e.Check.Overflow == 0 || e.Check.Clean() {
			t.Errorf("a flow without an answer may have lost one, and its self-check is: %s %v", e.Check, err)
		}
	})
}

// The MSS in the SYN must fit the path's MTU. Otherwise the peer's large segments are lost, and the connection cannot
// be ended in order.
func TestMSSFitsTheMTU(t *testing.T) {
	for mtu, want := range map[int]uint16{0: 1460, 1420: 1380, 1 << 16: 65495} {
		b := &conntest.Bench{Peer: &conntest.Listener{}}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			b.Stack.MTU = mtu
			c := dial(t, ctx, b, seq.At(1), conn.SynAck)
			if got := b.Wire.Sent()[0].MSS; got != want {
				t.Errorf("MTU %d: MSS %d, want %d", mtu, got, want)
			}
			end(t, ctx, b, c)
		})
	}
}
