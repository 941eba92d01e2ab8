package conn

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// The RSTs of an end that nobody confirms are bounded, more so once the run is over.
const (
	endTries  = 8
	lateTries = 2
)

// Ending is how a connection was left.
type Ending struct {
	Check     SelfCheck
	Confirmed bool // the peer showed that it keeps nothing
}

// End resets the connection, sees the peer accept that, and gives the port back after the guard's
// self-check. A peer that keeps nothing answers an old byte with RST. A context that has ended shortens
// this, but a connection that the peer may know of is never left without an RST.
func (c *Conn) End(ctx context.Context) (Ending, error) {
	e := Ending{Confirmed: c.Abort(ctx)}
	c.slot.Clear()
	var err error
	e.Check, err = c.flow.check()
	c.flow.stack.retire(c.flow)
	return e, err
}

// Abort resets the connection and reports whether the peer showed that it keeps nothing. The port stays taken.
func (c *Conn) Abort(ctx context.Context) (confirmed bool) {
	unasked := !c.established && c.sentSYN.IsZero() // not even a SYN was sent: nobody knows of this connection
	if c.reset || unasked {
		return true
	}
	tries := endTries
	if ctx.Err() != nil {
		tries = lateTries
	}
	for i := 0; i < tries && !confirmed && c.fault == nil && c.unresolved == nil; i++ {
		confirmed = c.abort(context.WithoutCancel(ctx), i)
		if !c.established {
			break
		}
	}
	return confirmed
}

// Again makes an aborted connection ready for a fresh incarnation of the same 4-tuple. What has arrived for the old
// one is dropped.
func (c *Conn) Again(iss seq.Number) {
	c.Drain(func(wire.Packet) {})
	c.ISS, c.next, c.acked, c.peer = iss, iss, iss, seq.Number{}
	c.established, c.reset, c.heard, c.closed, c.repeats = false, false, false, false, 0
	c.sentSYN, c.owed = time.Time{}, time.Time{}
}

// abort sends one RST at the exact number that the peer waits for, as far as is known, and asks
// whether it was taken. A peer that still answers says which number it would have been.
func (c *Conn) abort(ctx context.Context, repetition int) bool {
	at := c.next
	if !c.established {
		at = c.ISS.Add(1)
	}
	c.rst(at)
	if !c.established {
		return false
	}
	gone := false
	old := c.ISS.Add(-LongAgo)
	sent := c.sendNow(Step{Part: evidence.StillThere, Flags: segment.ACK, Seq: &old, Payload: []byte{0}})
	c.Await(ctx, sent.Add(c.Patience(repetition)), func(p wire.Packet) bool {
		gone = c.reset
		alive := p.Segment != nil && p.Segment.Flags.Has(segment.ACK) && !gone
		if alive && p.Segment.Ack != at {
			c.rst(p.Segment.Ack)
		}
		return gone
	})
	return gone
}

func (c *Conn) rst(at seq.Number) {
	c.sendNow(Step{Part: evidence.RST, Flags: segment.RST | segment.ACK, Seq: &at})
}

// Clear resets the older connection of this 4-tuple that a bare ACK told of, at the number it named.
func (c *Conn) Clear(at seq.Number) {
	c.sendNow(Step{Part: evidence.RSTOfOlder, Flags: segment.RST, Seq: &at})
}
