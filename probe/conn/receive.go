package conn

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Next waits until the given time for the peer's next packet. It updates the connection and acknowledges data before it
// returns the packet. A packet that arrived by then is returned even after that time. ok is false if nothing arrived,
// if ctx has ended, or if nothing can arrive any more.
func (c *Conn) Next(ctx context.Context, until time.Time) (p wire.Packet, ok bool) {
	if due := c.unackedSince.Add(ackDelay); !c.unackedSince.IsZero() && due.Before(until) {
		if p, ok = c.arrival(ctx, due); ok || ctx.Err() != nil {
			return p, ok
		}
		c.acknowledge()
	}
	return c.arrival(ctx, until)
}

// arrival returns the next packet that arrives until the given time.
func (c *Conn) arrival(ctx context.Context, until time.Time) (p wire.Packet, ok bool) {
	for {
		p, ok = c.flow.inbox.await(ctx, until)
		if !ok || c.process(&p) {
			return p, ok
		}
	}
}

// Await processes packets until done returns true or the time is over. It reports whether done returned true.
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

// Drain processes the packets that have already arrived, without waiting. Those that arrive meanwhile stay.
func (c *Conn) Drain(each func(wire.Packet)) {
	for range c.flow.inbox.length() {
		p, ok := c.flow.inbox.take()
		if !ok {
			return
		}
		if c.process(&p) {
			each(p)
		}
	}
}

// process updates the connection's state by a received packet, and passes it to the observer. It changes the packet to
// how this side numbers its data; the log has it as it was. It reports false for one that nobody may believe.
func (c *Conn) process(received *wire.Packet) bool {
	raw := *received
	if !c.plausible(raw.Segment) {
		c.log.keep(raw)
		return false
	}
	p := c.shift.own(raw, c.acked)
	for _, earlier := range c.shift.late() {
		c.log.answers.receives(earlier)
		c.observe(earlier)
	}
	c.log.receives(raw, p)
	c.timeControls()
	c.update(p)
	c.observe(p)
	*received = p
	return true
}

func (c *Conn) observe(p wire.Packet) {
	if c.Observer != nil {
		c.Observer(p)
	}
}

// update updates the connection's state by a received packet.
func (c *Conn) update(p wire.Packet) {
	g := p.Segment
	if g == nil || !c.established {
		return
	}
	switch {
	case g.Flags.Has(segment.RST):
		if g.Seq.In(c.peer, window) || slices.Contains(c.acks, g.Seq) {
			c.noteReset(p)
		}
		return
	case g.Flags.Has(segment.SYN):
		if c.repeats++; !c.DataAcks || c.shownACK {
			c.acknowledge()
		}
		return
	}
	c.hopLimits.Add(g.HopLimit)
	if g.Flags.Has(segment.ACK) && !g.Ack.Before(c.acked) {
		c.peerWindow = int(g.Window)
	}
	if g.Flags.Has(segment.ACK) && g.Ack.After(c.acked) && !g.Ack.After(c.next) {
		c.acked = g.Ack
	}
	if len(g.SACK) > 0 || c.acked.After(c.ISS.Add(1)) || g.End() != g.Seq { // more than a half-open connection sends
		c.proven = true
		c.settled(true)
	}
	c.receive(g)
}

// ackDelay is how long an acknowledgement of data is delayed, as on Linux (RFC 9293 section 3.8.6.3 allows 500 ms).
// Most probes send a segment within that time, which then carries it.
const ackDelay = 40 * time.Millisecond

// receive accepts data and FIN that are in order. A FIN, and data that was received before, are acknowledged at once,
// but not faster than acknowledge allows.
func (c *Conn) receive(g *segment.Segment) {
	if g.End() == g.Seq {
		if g.Flags == segment.ACK && g.Seq == c.peer.Add(-1) { // keep-alive: if unanswered, the peer resets
			c.acknowledge()
		}
		return
	}
	if c.HoldData {
		return
	}
	before := c.peer
	if !g.Seq.After(c.peer) && g.End().After(c.peer) {
		c.peer, c.gotData, c.closed = g.End(), true, g.Flags.Has(segment.FIN)
		if c.holdsFIN() {
			c.peer = c.peer.Add(-1)
		}
	}
	fresh := c.peer != before
	switch {
	case g.PayloadLen() == 0 && c.holdsFIN():
	case fresh && !g.Flags.Has(segment.FIN):
		c.delayAck()
	default:
		c.acknowledge()
	}
}

// delayAck delays the acknowledgement of new data: the next segment carries it, or it is sent after ackDelay.
func (c *Conn) delayAck() {
	if c.unackedSince.IsZero() {
		c.unackedSince = time.Now()
	}
}

// acknowledge sends an acknowledgement that nothing else carries, at most one in ackDelay and only if the rate allows
// it. Otherwise it is delayed. So whatever a peer sends, it does not make this side send more (compare the limit for
// challenge ACKs, RFC 5961 section 10). After its RST it sends none, unless the peer has shown that it still holds the
// connection: a listener that uses SYN cookies would take it for the end of a handshake, and make a connection of it.
func (c *Conn) acknowledge() {
	if c.sentRST && !c.lingers {
		return
	}
	early := time.Since(c.answered) < ackDelay
	if !early {
		c.answered = time.Now()
	}
	if early || c.TryTake != nil && !c.TryTake() {
		c.delayAck()
		return
	}
	c.Send(Step{Part: evidence.ACK, Flags: segment.ACK})
}
