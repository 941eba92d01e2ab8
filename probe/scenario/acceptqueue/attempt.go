package acceptqueue

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// stage is how far an attempt got.
type stage int

const (
	silent   stage = iota // nothing answers its SYNs
	halfOpen              // a SYN-ACK, which proves nothing
	queued                // the peer acknowledged a byte: the connection has its place in the queue
	refused               // an RST
)

// attempt is one connection that asks for a place in a listener's queue.
type attempt struct {
	*conn.Conn
	opening conn.Opening
	byte    byte // what it sends to prove itself
	echoes  flow.Echoes
}

// newAttempt takes over a connection that nothing was sent on.
func newAttempt(c *conn.Conn, b byte) *attempt {
	c.DataAcks = true
	return &attempt{Conn: c, byte: b, echoes: flow.NewEchoes()}
}

func (a *attempt) stage() stage {
	switch {
	case a.proven():
		return queued
	case a.Reset():
		return refused
	case a.opening.Answer == conn.SynAck:
		return halfOpen
	}
	return silent
}

// proven reports whether the peer has shown its side of the connection: it took the byte, or closed.
func (a *attempt) proven() bool {
	return a.opening.Answer == conn.SynAck && (a.Acked().AtLeast(a.ISS.Add(2)) || a.Closed())
}

// alive reports whether beacons on the connection are answered unless they are lost.
func (a *attempt) alive() bool { return a.proven() && !a.Reset() && !a.Closed() && a.Fault() == nil }

// stopped reports whether waiting is in vain.
func (a *attempt) stopped() bool { return a.Reset() || a.Fault() != nil }

// push sends what the attempt's stage calls for: a SYN, or the final ACK with a byte.
func (a *attempt) push() {
	if a.opening.Answer != conn.SynAck {
		a.Ask()
		return
	}
	first := a.ISS.Add(1)
	a.Send(conn.Step{Part: evidence.Byte, Flags: segment.PSH | segment.ACK, Seq: &first, Payload: []byte{a.byte}})
}

// hear waits for an answer to what push sent, and reports whether one came.
func (a *attempt) hear(ctx context.Context, until time.Time) bool {
	if a.opening.Answer != conn.SynAck {
		a.opening = a.Hear(ctx, until)
		return a.opening.Answer != conn.NoAnswer
	}
	return a.Collect(ctx, until, func(wire.Packet) bool { return a.proven() || a.stopped() })
}

// again makes the attempt a fresh one from the same port, if the peer let go of the old.
func (a *attempt) again(ctx context.Context) bool {
	if a.stage() != silent && !a.Abort(ctx) {
		return false
	}
	a.Again(flow.RandomISS())
	a.opening, a.echoes = conn.Opening{}, flow.NewEchoes()
	return true
}

// beacon sends a byte from before the connection began, each time another.
func (a *attempt) beacon() {
	at := a.ISS.Add(-conn.LongAgo - 1 - a.echoes.Sent)
	a.echoes.Expect(at, 1)
	a.SendBeacon(at, 0)
}

// unanswered waits for the answers to all beacons and reports how many lack theirs; fewer than none where
// there were more answers than beacons.
func (a *attempt) unanswered(ctx context.Context, until time.Time) int {
	missing := 0
	for _, n := range a.echoes.Open {
		missing += n
	}
	a.Collect(ctx, until, func(p wire.Packet) bool {
		if a.echoes.Take(a.Conn, p) {
			missing--
		}
		return missing <= 0 || a.stopped()
	})
	clear(a.echoes.Open) // what comes later answers no question any more
	return missing
}
