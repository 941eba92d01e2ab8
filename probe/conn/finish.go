package conn

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// heldAt is what the peer's answer to an old byte says of the connection.
type heldAt struct {
	next seq.Number // the number that it expects
	sent seq.Number // its own SND.NXT
}

// finTries is how often finish sends its FIN.
const finTries = 5

// finish ends a connection by a FIN handshake (RFC 9293 section 3.6), where the peer still answers after RSTs: a
// firewall in front of it may drop those. The FIN comes with what the peer lacks before it. The peer's own FIN is
// acknowledged, so that it leaves LAST-ACK. A peer whose application does not close keeps the connection in CLOSE-WAIT.
func (c *Conn) finish(ctx context.Context) {
	if c.heldAt == nil || !c.proven && !c.shownACK {
		return // a FIN would complete the handshake of a half-open connection
	}
	c.ReleaseFIN()
	if c.peerUnknown {
		c.peer, c.peerUnknown = c.heldAt.sent, false
	}
	c.HoldData = false
	for i := 0; i < finTries && c.fault == nil && !c.reset && ctx.Err() == nil; i++ {
		from, fin := c.finRange()
		n := fin.Sub(from)
		if n > c.LongestSegment() {
			return
		}
		c.sendNow(Step{Part: evidence.FIN, Flags: segment.FIN | segment.ACK, Seq: &from, Payload: make([]byte, n)})
		done := func(wire.Packet) bool { return c.reset || c.closed && c.acked.AtLeast(fin.Add(1)) }
		if c.Await(ctx, time.Now().Add(c.AnswerTimeout(i)), done) && !c.reset {
			c.sendNow(Step{Part: evidence.ACK, Flags: segment.ACK}) // of the peer's FIN: at once, and not held back
			return
		}
	}
}

// finRange is where the FIN's segment begins, at the number that the peer expects, and where the FIN is in it.
func (c *Conn) finRange() (from, fin seq.Number) {
	from, fin = c.acked, c.next
	if c.finAt != nil {
		fin = *c.finAt
	}
	if c.heldAt.next.After(from) {
		from = c.heldAt.next
	}
	if from.After(fin) && c.finAt != nil {
		return fin, fin // the peer has it: only its answer may be missing
	}
	if from.After(fin) {
		fin = from // a connection that was taken over: the peer has more than this side knows of
	}
	return from, fin
}

// heldTries is how often the peer is asked at last whether it holds the connection.
const heldTries = 3

// lastAnswer asks the peer, after the last RST, whether it holds the connection: then it answers another old byte with
// an acknowledgement and with no RST. Silence shows nothing: the peer's RST may be dropped, or the question.
func (c *Conn) lastAnswer(ctx context.Context) holding {
	if !c.established || !c.lingers || c.ended || c.fault != nil {
		return unanswered
	}
	for i := 0; i < heldTries && !c.flow.stack.overdue() && (i == 0 || ctx.Err() == nil); i++ {
		if h := c.askLast(c.EndContext(), i); h != unanswered {
			return h
		}
	}
	return unanswered
}

// askLast sends an old byte that no question before had, and waits for an RST as long as one may take. What names
// another byte answers an earlier question, from before the last RST.
func (c *Conn) askLast(ctx context.Context, repetition int) (h holding) {
	before := c.resets
	s := sign{c.ISS.Add(-OldByteOffset - 1 - repetition), false}
	if c.proven && c.finAt == nil && c.OldBytesDropped() == (repetition%2 == 0) { // nobody answers data beyond a FIN
		s = sign{c.Ahead().Add(1 + repetition), true}
	}
	c.expectsRST = true
	defer func() { c.expectsRST = false }()
	sent := c.sendSign(s, evidence.StillThere)
	c.Await(ctx, sent.Add(c.AnswerTimeout(repetition+heldTries)), func(p wire.Packet) bool {
		switch g := p.Segment; {
		case g == nil:
		case c.resets > before:
			h = c.endedBy(g)
		case g.Flags.Has(segment.ACK) && (s.ahead || len(g.SACK) == 0 || s.names(g)):
			h = held
		}
		return c.resets > before
	})
	return h
}
