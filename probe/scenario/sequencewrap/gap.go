package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// The bytes just before 0 are not sent, so the peer expects one of them until the end.
const (
	leastGap = 24
	moreGap  = 16
)

// gapConn is a connection with a gap before 0, or before another number in its place. What arrives behind the gap is
// named by SACK at once, and the RST that ends the connection starts before 0.
type gapConn struct {
	*flow.State
	conn    *conn.Conn
	flags   segment.Flags
	zero    seq.Number
	gap     seq.Number // its first number: the peer expects it
	control []byte     // acknowledged, up to the gap
	data    []byte     // of segments behind the gap
	echoes  flow.Echoes
	window  int // that the peer advertised last
	named   map[segment.SACKBlock]bool
}

// gapPorts is how many source ports are tried. A device may lose what the peer sends by its numbers, which the peer
// draws anew for each connection.
const gapPorts = 4

// openGap opens such a connection from a source port of its own. ok is false if its control was not acknowledged from
// any, or the peer does not do SACK.
func (x *wrapTest) openGap(ctx context.Context, zero seq.Number) (g *gapConn, ok bool) {
	for range gapPorts {
		if g = x.newGap(ctx, zero); g.conn == nil {
			return g, false
		}
		g.Opening = g.conn.Handshake(ctx, x.Env.Pace)
		established := g.Opening.Answer == conn.SynAck
		if established && g.conn.SACK && g.acknowledged(ctx, g.start(), g.control, g.gap) {
			return g, true
		}
		if g.Opening.Answer == conn.StaleAck {
			g.conn.ResetOlder(g.Opening.Wrong)
		}
		again := !g.stopped() && (g.Opening.Answer == conn.StaleAck || established && g.conn.SACK)
		x.end(ctx, g)
		if !again {
			break
		}
	}
	return g, false
}

func (x *wrapTest) newGap(ctx context.Context, zero seq.Number) *gapConn {
	k, gap := leastControl+rand.IntN(moreControl), leastGap+rand.IntN(moreGap)
	data := x.payload(2 * k)
	g := &gapConn{State: &flow.State{Env: x.Env}, flags: x.like, zero: zero, gap: zero.Add(-gap), control: data[:k],
		data: data[k:], echoes: flow.NewEchoes(), named: map[segment.SACKBlock]bool{}}
	if g.conn = g.Open(ctx, g.start().Add(-1)); g.conn != nil {
		g.conn.DataAcks, g.conn.Observer = true, g.observe
	}
	return g
}

// end ends a connection and keeps what it showed.
func (x *wrapTest) end(ctx context.Context, g *gapConn) {
	g.End(ctx, g.conn)
	x.State.Join(g.State)
}

func (g *gapConn) start() seq.Number { return g.gap.Add(-len(g.control)) }

// observe keeps what the peer names behind the gap.
func (g *gapConn) observe(p wire.Packet) {
	s := p.Segment
	if s == nil || !s.Flags.Has(segment.ACK) || s.Flags.Has(segment.SYN) {
		return
	}
	g.window = int(s.Window)
	for _, b := range s.SACK {
		if b.Left.AtLeast(g.gap) {
			g.named[b] = true
		}
	}
}

// has reports whether the peer named these bytes.
func (g *gapConn) has(p piece) bool {
	for b := range g.named {
		if p.at.AtLeast(b.Left) && b.Right.AtLeast(p.at.Add(p.length)) {
			return true
		}
	}
	return false
}

// hasUpTo reports whether the peer named bytes that begin up to that number.
func (g *gapConn) hasUpTo(last seq.Number) bool {
	for b := range g.named {
		if last.AtLeast(b.Left) {
			return true
		}
	}
	return g.conn.Acked().After(g.zero)
}

// acknowledged sends bytes until the peer has acknowledged them up to that number.
func (g *gapConn) acknowledged(ctx context.Context, at seq.Number, b []byte, upTo seq.Number) bool {
	for i := 0; i < controlTries && !g.stopped() && g.Env.Pace(ctx, 1) == nil; i++ {
		sent := g.send(evidence.Control, at, b)
		reached := func(wire.Packet) bool { return g.conn.Acked().AtLeast(upTo) || g.stopped() }
		if g.conn.Await(ctx, sent.Add(g.conn.AnswerTimeout(i)), reached) {
			return !g.stopped()
		}
	}
	return false
}

func (g *gapConn) stopped() bool { return g.conn.Reset() || g.conn.Fault() != nil }

func (g *gapConn) send(part evidence.Part, at seq.Number, b []byte) time.Time {
	return g.conn.Send(conn.Step{Part: part, Flags: g.flags, Seq: &at, Payload: b})
}

// sendPiece sends a suspect if the piece touches 0, a control if it ends before 0 or lies at another number, and else a
// witness, which is neither: whether what is beyond 0 fares like a suspect is the question.
func (g *gapConn) sendPiece(p piece) time.Time {
	part := evidence.Suspect
	switch {
	case !g.zero.IsZero(), p.at.Add(p.length).Before(g.zero):
		part = evidence.Control
	case p.at.After(g.zero):
		part = evidence.Witness
	}
	return g.send(part, p.at, g.data[:p.length])
}

// sendBeacon sends some bytes of the control again, of any length that pieces have.
func (g *gapConn) sendBeacon() time.Time {
	n := 1 + rand.IntN(mostPiece)
	from := rand.IntN(len(g.control) - n + 1)
	at := g.start().Add(from)
	g.echoes.Expect(at, n)
	return g.send(evidence.Beacon, at, g.control[from:from+n])
}

// answered reports whether p answers a beacon that was not answered before.
func (g *gapConn) answered(p wire.Packet) bool { return g.echoes.Take(g.conn, p) }

// alive reports whether the peer still answers beacons.
func (g *gapConn) alive(ctx context.Context) bool {
	for i := 0; i < controlTries && !g.stopped() && g.Env.Pace(ctx, 1) == nil; i++ {
		clear(g.echoes.Open)
		if g.conn.Await(ctx, g.sendBeacon().Add(g.conn.AnswerTimeout(i)), g.answered) {
			return true
		}
	}
	return false
}
