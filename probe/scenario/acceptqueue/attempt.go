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

// stage is the progress of an attempt.
type stage int

const (
	silent   stage = iota // no answer to its SYNs
	halfOpen              // a SYN-ACK, which does not prove that the connection is in the queue
	queued                // the peer acknowledged a byte, so the connection is in the queue
	refused               // an RST
)

// attempt is one connection that should get into a listener's queue.
type attempt struct {
	*conn.Conn
	opening conn.Opening
	byte    byte // the byte that it sends to prove that it is established
	echoes  flow.Echoes

	completed bool // the final ACK, with the byte, was sent
	ignored   int  // number of its segments, while filling, that got no answer
}

// newAttempt returns an attempt for a connection on which nothing was sent.
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

// proven reports whether the peer has shown that the connection is established: it acknowledged the byte, or closed.
func (a *attempt) proven() bool {
	return a.opening.Answer == conn.SynAck && (a.Acked().AtLeast(a.ISS.Add(2)) || a.Closed())
}

// alive reports whether the peer answers beacons on the connection.
func (a *attempt) alive() bool { return a.proven() && !a.Reset() && !a.Closed() && a.Fault() == nil }

// stopped reports whether no further answer can come.
func (a *attempt) stopped() bool { return a.Reset() || a.Fault() != nil }

// rejections returns how many of its segments were ignored; 1 if one was refused.
func (a *attempt) rejections() int {
	if a.stage() == refused {
		return 1
	}
	return a.ignored
}

// sendNext sends the next segment of the attempt: a SYN, or the final ACK with a byte.
func (a *attempt) sendNext() {
	if a.opening.Answer != conn.SynAck {
		a.SendSYN()
		return
	}
	a.completed = true
	first := a.ISS.Add(1)
	a.Send(conn.Step{Part: evidence.Byte, Flags: segment.PSH | segment.ACK, Seq: &first, Payload: []byte{a.byte}})
}

// awaitAnswer waits for an answer to what sendNext sent. It returns false if none came.
func (a *attempt) awaitAnswer(ctx context.Context, until time.Time) bool {
	if a.opening.Answer != conn.SynAck {
		a.opening = a.AwaitSYNAnswer(ctx, until)
		return a.opening.Answer != conn.NoAnswer
	}
	return a.Collect(ctx, until, func(wire.Packet) bool { return a.proven() || a.stopped() })
}

// reopen begins a new attempt from the same port. It fails if the peer did not confirm the reset of the old one.
func (a *attempt) reopen(ctx context.Context) bool {
	if a.stage() != silent && !a.Abort(ctx) {
		return false
	}
	a.NewIncarnation(flow.RandomISS())
	a.opening, a.echoes, a.completed = conn.Opening{}, flow.NewEchoes(), false
	return true
}

// beacon sends a byte with an old sequence number, each time another one.
func (a *attempt) beacon() {
	at := a.ISS.Add(-conn.OldByteOffset - 1 - a.echoes.Sent)
	a.echoes.Expect(at, 1)
	a.SendBeacon(at, 0)
}

// unanswered waits for the answers to all beacons and returns how many have none. The result is negative if there were
// more answers than beacons.
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
	clear(a.echoes.Open) // later answers must not be counted
	return missing
}
