package conn

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Traits are what tells the segments of one sender from those of another.
type Traits struct {
	HopLimit uint8
	Window   uint16
	ID       uint16 // IPv4 identification
	Options  int    // bytes of TCP options
}

func traitsOf(g *segment.Segment) Traits {
	return Traits{HopLimit: g.HopLimit, Window: g.Window, ID: g.ID, Options: len(g.RawOptions())}
}

// HopLimits is a set of hop limits, or TTLs.
type HopLimits [4]uint64

// Add puts n into the set.
func (h *HopLimits) Add(n uint8) { h[n/64] |= 1 << (n % 64) }

// Has reports whether n is in the set.
func (h HopLimits) Has(n uint8) bool { return h[n/64]>>(n%64)&1 == 1 }

// Empty reports whether nothing is in the set.
func (h HopLimits) Empty() bool { return h == HopLimits{} }

// List is the set in order.
func (h HopLimits) List() (out []uint8) {
	for n := range 256 {
		if h.Has(uint8(n)) {
			out = append(out, uint8(n))
		}
	}
	return out
}

// Plus is the union of both sets.
func (h HopLimits) Plus(other HopLimits) HopLimits {
	for i := range h {
		h[i] |= other[i]
	}
	return h
}

// ReceivedReset is the first RST that a connection received, and what it is compared with. Anybody on the way may have
// sent it.
type ReceivedReset struct {
	Traits
	On    evidence.Part // what the last segment was for that was sent before
	After time.Duration // since that one
	Peer  HopLimits     // of the other segments that came from the peer's address
	Own   *Traits       // of the RST that answered an old byte after the end; nil: none did
	// BeforeData: it acknowledges the SYN alone, as that of an application which has read nothing.
	BeforeData bool
	Held       bool // the peer named an old byte as a duplicate afterwards: it held the connection still
}

// Foreign reports whether the peer did not send it.
func (r *ReceivedReset) Foreign() bool { return r != nil && (r.Held || r.OtherHopLimit()) }

// OtherHopLimit reports whether no segment of the peer had its hop limit.
func (r *ReceivedReset) OtherHopLimit() bool {
	return r != nil && !r.Peer.Empty() && !r.Peer.Has(r.HopLimit)
}

// ReceivedReset is the first RST that this incarnation received once it was established, however the peer took it; nil
// if there was none.
func (c *Conn) ReceivedReset() *ReceivedReset {
	if c.received == nil {
		return nil
	}
	r := *c.received
	r.Peer, r.Own = c.hopLimits, c.ownReset
	return &r
}

// HopLimits are those of the peer's segments.
func (c *Conn) HopLimits() HopLimits { return c.hopLimits }

// keepAcks is how many acknowledgement numbers are kept.
const keepAcks = 8

// noteAck keeps the acknowledgement number of a segment. While it is on its way the peer may send more, and an RST that
// answers it has a number that is old by then: kernels ignore that one, and die of the next. An RST that answers an ACK
// from before the handshake ends nothing.
func (c *Conn) noteAck(g *segment.Segment) {
	if !c.established || !g.Flags.Has(segment.ACK) || g.Flags.Has(segment.RST) || slices.Contains(c.acks, g.Ack) {
		return
	}
	if len(c.acks) == keepAcks {
		c.acks = c.acks[1:]
	}
	c.acks = append(c.acks, g.Ack)
}

// noteReset examines an RST that is acceptable.
func (c *Conn) noteReset(p wire.Packet) {
	c.resets++
	c.reset, c.unackedSince = true, time.Time{}
	// An RST with an acknowledgement comes of itself; one that answers a segment has none (RFC 9293 section 3.10.7.1).
	g := p.Segment
	active := g.Flags.Has(segment.ACK)
	beforeData := active && g.Ack == c.ISS.Add(1)
	c.actively = c.actively || beforeData || active && !c.expectsRST
	if c.received == nil && !c.expectsRST {
		c.received = &ReceivedReset{Traits: traitsOf(g), On: c.lastPart, After: max(p.Time.Sub(c.lastSent), 0),
			BeforeData: beforeData}
	}
}

// ResetActively reports whether an RST came that is no answer to a segment, and is not known to be another's.
func (c *Conn) ResetActively() bool { return c.actively && !c.ReceivedReset().Foreign() }

// holding is what an old byte shows about the peer's connection.
type holding int

const (
	unanswered holding = iota
	held               // an acknowledgement
	gone               // an RST
)

const (
	// recheckTries is how many old bytes are sent after an RST came.
	recheckTries = 3
	// recheckPause is how long further RSTs to earlier segments may take, beside two round trips: one of them must not
	// pass for the answer to the old byte.
	recheckPause = 10 * time.Millisecond
)

// Recheck asks whether the peer holds the connection although an RST came. If it does, the connection goes on: the RST
// was not the peer's. It reports whether the connection is open.
func (c *Conn) Recheck() (open bool) {
	if !c.reset || !c.established || c.ended {
		return !c.reset
	}
	ctx := c.EndContext()
	c.Await(ctx, time.Now().Add(2*c.RTT+recheckPause), func(wire.Packet) bool { return false })
	for i := range recheckTries {
		if i > 0 && ctx.Err() != nil {
			return false
		}
		switch h, named := c.ask(ctx, i, nil); h {
		case gone:
			c.ended = true
			return false
		case held:
			c.reset = false
			if c.received != nil {
				c.received.Held = c.received.Held || named
			}
			return true
		}
	}
	return false
}

// ask sends an old byte, or one ahead, and waits for what it shows. named: an acknowledgement names the byte. each is
// called with every acknowledgement; if it is given, only an RST ends the waiting.
func (c *Conn) ask(ctx context.Context, repetition int, each func(*segment.Segment)) (h holding, named bool) {
	before, known := c.resets, c.OldBytesDropped()
	// A byte ahead would complete the handshake of a half-open connection, and take a place in the accept queue.
	s := c.signOfLife(c.proven && known == (repetition%2 == 0), repetition)
	c.expectsRST = true
	defer func() { c.expectsRST = false }()
	sent := c.sendSign(s, evidence.StillThere)
	c.Await(ctx, sent.Add(c.AnswerTimeout(repetition)), func(p wire.Packet) bool {
		switch g := p.Segment; {
		case g == nil:
		case c.resets > before:
			if h = c.endedBy(g); h == gone && repetition == 0 {
				c.TimeAnswer(p.Time.Sub(sent))
			}
		case g.Flags.Has(segment.ACK):
			h, named = held, s.names(g)
			if each != nil {
				each(g)
			}
		}
		return h == gone || c.resets > before || h == held && each == nil
	})
	if h != unanswered && !known {
		c.NoteSign(s.ahead)
	}
	return h, named
}

// endedBy is what an RST in answer to an old byte shows. One whose hop limit is new may be another's, to an earlier
// segment: it counts if the next answer is the same.
func (c *Conn) endedBy(g *segment.Segment) holding {
	t := traitsOf(g)
	if !c.hopLimits.Empty() && !c.hopLimits.Has(t.HopLimit) && (c.doubted == nil || c.doubted.HopLimit != t.HopLimit) {
		c.doubted = &t
		return unanswered
	}
	c.foreignEnd = c.doubted != nil && c.doubted.HopLimit == t.HopLimit
	c.ownReset = &t
	c.hopLimits.Add(t.HopLimit)
	return gone
}
