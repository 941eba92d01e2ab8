package conn

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Bounds of how many RSTs are sent if none is confirmed. There is a lower bound once the run's deadline has passed.
const (
	endTries  = 8
	lateTries = 2
	// triesBeforeFIN is after how many of them a connection that has crossed 0 is ended in another way.
	triesBeforeFIN = 3
)

// Ending says how a connection was ended.
type Ending struct {
	Check     SelfCheck
	Confirmed bool // the peer showed that it holds the connection no longer
}

// End resets the connection, checks that the peer accepted the RST, and frees the port after the guard's self-check.
// The check is a byte with an old number: a peer without the connection answers it with RST. A context that has ended
// shortens this. But if the peer may know the connection, at least one RST is sent.
func (c *Conn) End(ctx context.Context) (Ending, error) {
	e := Ending{Confirmed: c.Abort(ctx)}
	c.slot.Clear()
	var err error
	e.Check, err = c.flow.check()
	c.flow.stack.retire(c.flow)
	return e, err
}

// Abort resets the connection and reports whether the peer showed that it holds it no longer. The port stays reserved.
func (c *Conn) Abort(ctx context.Context) (confirmed bool) {
	c.settled(false)
	c.Completed = nil
	unasked := !c.established && c.sentSYN.IsZero() // no SYN was sent, so the peer does not know the connection
	refused := !c.established && c.reset
	if unasked || refused || c.ended {
		return true
	}
	if c.reset && !c.Recheck(ctx) && (c.ended || !c.ReceivedReset().OtherHopLimit()) {
		if !c.ended { // nothing shows a leak, but the RST that came may have been another's
			c.abort(context.WithoutCancel(ctx), 0)
		}
		return true
	}
	tries := endTries
	if ctx.Err() != nil {
		tries = lateTries
	}
	for i := 0; i < tries && !confirmed && c.fault == nil && c.unresolved == nil; i++ {
		if i == triesBeforeFIN {
			c.finishAcross(context.WithoutCancel(ctx))
		}
		confirmed = c.abort(context.WithoutCancel(ctx), i)
		if !c.established {
			break
		}
	}
	return confirmed
}

// NewIncarnation prepares an aborted connection for a new incarnation of the same 4-tuple. Packets that arrived for the
// old one are dropped.
func (c *Conn) NewIncarnation(iss seq.Number) {
	c.Drain(func(wire.Packet) {})
	c.ISS, c.next, c.acked, c.peer = iss, iss, iss, seq.Number{}
	c.established, c.reset, c.gotData, c.closed, c.repeats = false, false, false, false, 0
	c.proven, c.ended, c.received, c.acks = false, false, nil, nil
	c.sentSYN, c.unackedSince = time.Time{}, time.Time{}
	c.shift, c.wasShifted = sackShift{}, c.SACKShifted()
}

// abort sends one RST at the number that the peer expects, as far as it is known, and then checks whether the peer
// accepted it. A peer that still holds the connection answers the check, and its answer has the right number.
func (c *Conn) abort(ctx context.Context, repetition int) bool {
	at := c.next
	if !c.established {
		at = c.ISS.Add(1)
	}
	c.rst(at)
	if !c.established {
		return false
	}
	h, _ := c.ask(ctx, repetition, func(g *segment.Segment) {
		if g.Ack != at {
			c.rst(g.Ack)
		}
	})
	c.ended = h == gone
	return c.ended
}

func (c *Conn) rst(at seq.Number) {
	c.sendNow(Step{Part: evidence.RST, Flags: segment.RST | segment.ACK, Seq: &at})
}

// ResetOlder resets an older connection of the same 4-tuple. The peer showed that it holds one by a bare ACK, which has
// the number for the RST.
func (c *Conn) ResetOlder(at seq.Number) {
	c.sendNow(Step{Part: evidence.RSTOfOlder, Flags: segment.RST, Seq: &at})
}
