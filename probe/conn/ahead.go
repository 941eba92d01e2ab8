package conn

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// AheadOffset is the distance beyond SND.NXT at which bytes ahead begin: more than what is sent there later, and well
// within every window.
const AheadOffset = 4096

// proofs remembers the peers on whose way old bytes are dropped: some devices drop what was acknowledged already. A new
// byte, which leaves a gap before it, draws an acknowledgement at once as well. It is safe for concurrent use.
type proofs struct {
	mu     sync.Mutex
	silent map[netip.Addr]int // old bytes without an answer where one ahead had one, since an old one had one
}

// enoughSilent is how many of them are no chance loss any more. An error costs nothing: both kinds prove the same.
const enoughSilent = 2

func (p *proofs) prefersAhead(peer netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent[peer] >= enoughSilent
}

// note counts an answer to a byte ahead after an old one had none, or forgets such ones when an old one is answered.
func (p *proofs) note(peer netip.Addr, ahead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent == nil {
		p.silent = map[netip.Addr]int{}
	}
	p.silent[peer]++
	if !ahead {
		p.silent[peer] = 0
	}
}

// OldBytesDropped reports whether old bytes got no answer from this peer although new ones ahead did.
func (c *Conn) OldBytesDropped() bool {
	return c.flow.stack.proofs.prefersAhead(c.flow.key.Remote.Addr())
}

// NoteSign notes that a byte ahead was answered after an old one was not, or that an old one was.
func (c *Conn) NoteSign(ahead bool) { c.flow.stack.proofs.note(c.flow.key.Remote.Addr(), ahead) }

// Ahead is the number of a new byte that leaves a gap before it.
func (c *Conn) Ahead() seq.Number {
	at := c.next.Add(AheadOffset)
	if at.IsZero() {
		return at.Add(1)
	}
	return at
}

// sign is one byte that draws an answer at once, whether the peer holds the connection or not.
type sign struct {
	at    seq.Number
	ahead bool // a new byte; otherwise an old one
}

// signOfLife chooses the byte: a new one ahead, or an old one.
func (c *Conn) signOfLife(ahead bool, repetition int) sign {
	if ahead {
		return sign{c.Ahead(), true}
	}
	return sign{c.oldByte(repetition), false}
}

// oldByte is the number of a byte that the peer has received. A device on the path may drop what is older than the
// connection, so every second pair of repetitions has one of the connection's own data, if the peer acknowledged as
// much.
func (c *Conn) oldByte(repetition int) seq.Number {
	if own := c.ISS.Add(OldByteOffset); repetition/2%2 == 1 && c.acked.After(own) {
		return own
	}
	return c.ISS.Add(-OldByteOffset)
}

// sendSign sends the byte.
func (c *Conn) sendSign(s sign, part evidence.Part) time.Time {
	return c.sendNow(Step{Part: part, Flags: segment.ACK, Seq: &s.at, Payload: []byte{0}, Ahead: s.ahead})
}

// names reports whether a segment names the byte: an old one as a duplicate (RFC 2883), a new one as the block that
// came last (RFC 2018 section 4).
func (s sign) names(g *segment.Segment) bool {
	return len(g.SACK) > 0 && g.SACK[0] == segment.SACKBlock{Left: s.at, Right: s.at.Add(1)}
}

// showsLife sends one byte and waits for the immediate acknowledgement, as Beacon does.
func (c *Conn) showsLife(ctx context.Context, ahead bool, repetition int) (e Echo) {
	if !ahead {
		if e = c.Beacon(ctx, c.ISS.Add(-OldByteOffset), 0, repetition); e.Answered {
			c.NoteSign(false)
		}
		return e
	}
	s := c.signOfLife(true, repetition)
	sent := c.Send(Step{Part: evidence.Beacon, Flags: segment.ACK, Seq: &s.at, Payload: []byte{0}, Ahead: true})
	c.Await(ctx, sent.Add(c.AnswerTimeout(repetition)), func(p wire.Packet) bool {
		e.Duplicate = p.Segment != nil && s.names(p.Segment)
		e.Answered = e.Duplicate
		return e.Answered || c.reset
	})
	if e.Answered {
		c.NoteSign(true)
	}
	return e
}
