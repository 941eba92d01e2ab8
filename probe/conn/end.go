package conn

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Bounds of how many RSTs are sent if none is confirmed. There are lower ones where both sides have closed, and
// once the run's deadline has passed.
const (
	endTries  = 8
	overTries = 4
	// silentTries are enough where ends of other connections to the same peer showed nothing either.
	silentTries = 3
	lateTries   = 2
	// triesBeforeStep is after how many of them the connection is ended at another number.
	triesBeforeStep = 2
	// triesBeforeAcross is after how many of them a connection that has crossed 0 is ended in another way.
	triesBeforeAcross = 3
	// triesBeforeFIN is after how many of them a connection that the peer still holds is ended by a FIN handshake.
	triesBeforeFIN = 4
	// numbersATry is at how many numbers a try resets.
	numbersATry = 3
)

// Ending says how a connection was ended.
type Ending struct {
	Check     SelfCheck
	Confirmed bool // the peer showed that it holds the connection no longer
	Left      bool // the peer showed that it still holds it; if neither, nothing showed anything
}

// End resets the connection, checks that the peer accepted the RST, and frees the port after the guard's self-check.
// The check is a byte with an old number: a peer without the connection answers it with RST. A context that has ended
// shortens this, and the end of the stack's Ending ends it. But if the peer may know the connection, at least one RST
// is sent. Anybody may have sent the RST that says that it does not.
func (c *Conn) End(ctx context.Context) (Ending, error) {
	e := Ending{Confirmed: c.Abort(ctx) && !c.foreignEnd}
	if !e.Confirmed {
		h := c.lastAnswer(ctx)
		e.Confirmed, e.Left = h == gone && !c.foreignEnd, h == held
	}
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
	switch {
	case unasked:
		return true
	case refused && !c.lastSent.Equal(c.sentSYN): // what came after the SYN was refused, too
		return true
	case refused, c.ended:
		c.rstAtLeast()
		return true
	case c.reset && !c.Recheck() && (c.ended || !c.ReceivedReset().OtherHopLimit()):
		if c.ended {
			c.rstAtLeast()
			return true
		}
		// The RST that came may have been another's. Unless the peer shows that it holds the connection, that is the end.
		if c.abort(0) || !c.lingers {
			return true
		}
	}
	i := 0
	for ; c.triesAgain(ctx, i) && !confirmed && c.fault == nil && c.unresolved == nil; i++ {
		c.endOtherwise(i)
		confirmed = c.abort(i)
		if !c.established {
			break
		}
	}
	if !confirmed && i <= triesBeforeFIN && c.lingers && !c.over() && !c.flow.stack.overdue() { // the deadline has passed
		c.finish(c.EndContext())
		confirmed = c.abort(0)
	}
	return confirmed || c.over() && c.lingers
}

// endOtherwise does what lets a connection end that so many RSTs have not ended.
func (c *Conn) endOtherwise(tries int) {
	switch {
	case c.over():
	case tries == triesBeforeStep:
		c.stepOn(c.EndContext())
	case tries == triesBeforeAcross:
		c.finishAcross(c.EndContext())
	case tries == triesBeforeFIN && c.lingers:
		c.finish(c.EndContext())
	}
}

// EndContext is the context for what has to be sent before the connection can be ended.
func (c *Conn) EndContext() context.Context { return c.flow.stack.EndContext() }

// over reports whether both sides have closed, the peer first, and acknowledged that: a peer may hold on to such a
// connection for a while (TIME-WAIT) and ignore RSTs then (RFC 1337). It is not left open.
func (c *Conn) over() bool {
	return c.closed && !c.holdsFIN() && c.fin != nil && c.acked.AtLeast(*c.fin)
}

// triesAgain reports whether the connection is to be reset once more, after so many times.
func (c *Conn) triesAgain(ctx context.Context, tried int) bool {
	switch {
	case tried == 0:
		return true
	case c.flow.stack.overdue():
		return false
	case ctx.Err() != nil:
		return tried < lateTries
	case c.over():
		return tried < overTries
	case c.SilentPeer && !c.lingers:
		return tried < silentTries
	}
	return tried < endTries
}

// NewIncarnation prepares an aborted connection for a new incarnation of the same 4-tuple. Packets that arrived for the
// old one are dropped.
func (c *Conn) NewIncarnation(iss seq.Number) {
	c.Drain(func(wire.Packet) {})
	c.ISS, c.next, c.sentUpTo, c.acked, c.peer = iss, iss, iss, iss, seq.Number{}
	c.established, c.reset, c.gotData, c.closed, c.repeats = false, false, false, false, 0
	c.sentRST = false
	c.proven, c.ended, c.lingers, c.received, c.acks, c.fin = false, false, false, nil, nil, nil
	c.finAt, c.heldAt, c.shownACK, c.foreignEnd = nil, nil, false, false
	c.actively = false
	c.sentSYN, c.syns, c.unackedSince = time.Time{}, SYNs{}, time.Time{}
	c.shift, c.wasShifted = sackShift{}, c.SACKShifted()
}

// abort sends one RST at the number that the peer expects, as far as it is known, and then checks whether the peer
// accepted it. A peer that still holds the connection answers the check, and its answer has the right number: the RST
// is sent there, too, for a few such answers.
func (c *Conn) abort(repetition int) bool {
	at := c.due()
	if c.over() {
		c.acknowledge() // the one before may have been lost
	}
	c.rst(at)
	if !c.established {
		return false
	}
	if c.expected != nil && repetition >= triesBeforeStep { // not before: a device may answer it with an RST of its own
		c.rst(*c.expected)
	}
	tried := []seq.Number{at}
	h, _ := c.ask(c.EndContext(), repetition, func(g *segment.Segment) {
		c.heldAt = &heldAt{next: g.Ack, sent: g.Seq}
		if len(tried) < numbersATry && !slices.Contains(tried, g.Ack) {
			tried = append(tried, g.Ack)
			c.rst(g.Ack)
		}
	})
	c.ended, c.lingers = h == gone, c.lingers || h == held
	return c.ended
}

// due is the number that the peer expects, as far as it is known.
func (c *Conn) due() seq.Number {
	if !c.established {
		return c.ISS.Add(1)
	}
	return c.next
}

// rstAtLeast sends an RST unless this incarnation has sent one.
func (c *Conn) rstAtLeast() {
	if !c.sentRST {
		c.rst(c.due())
	}
}

func (c *Conn) rst(at seq.Number) {
	c.sentRST = true
	c.sendNow(Step{Part: evidence.RST, Flags: segment.RST | segment.ACK, Seq: &at})
}

// ResetOlder resets an older connection of the same 4-tuple. The peer showed that it holds one by a bare ACK, which has
// the number for the RST.
func (c *Conn) ResetOlder(at seq.Number) {
	c.sendNow(Step{Part: evidence.RSTOfOlder, Flags: segment.RST, Seq: &at})
}
