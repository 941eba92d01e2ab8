package conn

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Next waits until the given time for the next packet of the peer, after the endpoint took it in and
// acknowledged what it carried. What has arrived already is taken even when the time is over. ok is false when
// nothing came, or when nothing can come any more.
func (c *Conn) Next(ctx context.Context, until time.Time) (p wire.Packet, ok bool) {
	if due := c.owed.Add(ackDelay); !c.owed.IsZero() && due.Before(until) {
		if p, ok = c.arrival(ctx, due); ok || ctx.Err() != nil {
			return p, ok
		}
		c.acknowledge()
	}
	return c.arrival(ctx, until)
}

// arrival is the next packet until then.
func (c *Conn) arrival(ctx context.Context, until time.Time) (p wire.Packet, ok bool) {
	if p, ok = c.flow.inbox.await(ctx, until); ok {
		c.absorb(p)
	}
	return p, ok
}

// Await takes packets in until done says so or the time is over, and reports whether done said so.
func (c *Conn) Await(ctx context.Context, until time.Time, done func(wire.Packet) bool) bool {
	for {
		p, ok := c.Next(ctx, until)
		if !ok {
			return false
		}
		if done(p) {
			return true
		}
	}
}

// Drain takes in what has already arrived, without waiting.
func (c *Conn) Drain(each func(wire.Packet)) {
	for p, ok := c.flow.inbox.take(); ok; p, ok = c.flow.inbox.take() {
		c.absorb(p)
		each(p)
	}
}

// absorb takes in one packet, and tells the observer.
func (c *Conn) absorb(p wire.Packet) {
	c.update(p)
	if c.Observer != nil {
		c.Observer(p)
	}
}

// update updates the endpoint by what the peer sent.
func (c *Conn) update(p wire.Packet) {
	c.log.receives(p)
	g := p.Segment
	if g == nil || !c.established {
		return
	}
	switch {
	case g.Flags.Has(segment.RST):
		if g.Seq.In(c.peer, window) {
			c.reset, c.owed = true, time.Time{}
		}
		return
	case g.Flags.Has(segment.SYN):
		c.repeats++
		c.acknowledge()
		return
	}
	if g.Flags.Has(segment.ACK) && g.Ack.After(c.acked) && !g.Ack.After(c.next) {
		c.acked = g.Ack
	}
	c.receive(g)
}

// ackDelay is how long data waits for a segment that acknowledges it on the way, as on Linux (RFC 9293 section
// 3.8.6.3 allows 500 ms): most probes send one within that time.
const ackDelay = 40 * time.Millisecond

// receive takes the peer's data and FIN in order, whatever they are. A FIN, and what was received before, is
// acknowledged at once.
func (c *Conn) receive(g *segment.Segment) {
	if g.End() == g.Seq {
		if g.Flags == segment.ACK && g.Seq == c.peer.Add(-1) { // a keep-alive: unanswered ones end the connection
			c.acknowledge()
		}
		return
	}
	before := c.peer
	if !g.Seq.After(c.peer) && g.End().After(c.peer) {
		c.peer, c.heard, c.closed = g.End(), true, g.Flags.Has(segment.FIN)
		if c.holding() {
			c.peer = c.peer.Add(-1)
		}
	}
	fresh := c.peer != before
	switch {
	case g.PayloadLen() == 0 && c.holding():
	case fresh && !g.Flags.Has(segment.FIN):
		c.owe()
	default:
		c.acknowledge()
	}
}

// owe has new data acknowledged by the next segment, or soon.
func (c *Conn) owe() {
	if c.owed.IsZero() {
		c.owed = time.Now()
	}
}

func (c *Conn) acknowledge() { c.sendNow(Step{Part: evidence.ACK, Flags: segment.ACK}) }
