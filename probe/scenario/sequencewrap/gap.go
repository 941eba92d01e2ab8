package sequencewrap

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
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

// openGap opens such a connection from a source port of its own. ok is false if its control was not acknowledged, or
// the peer does not do SACK.
func (x *wrapTest) openGap(ctx context.Context, zero seq.Number) (g *gapConn, ok bool) {
	for range flow.SourcePorts {
		if g = x.newGap(ctx, zero); g.conn == nil {
			return g, false
		}
		g.Opening = g.conn.Handshake(ctx, x.env.Pace)
		if g.Opening.Answer == conn.SynAck && g.conn.SACK && g.acknowledged(ctx, g.start(), g.control, g.gap) {
			return g, true
		}
		if g.Opening.Answer == conn.StaleAck {
			g.conn.ResetOlder(g.Opening.Wrong)
		}
		x.end(ctx, g)
		if g.Opening.Answer != conn.StaleAck {
			break
		}
	}
	return g, false
}

func (x *wrapTest) newGap(ctx context.Context, zero seq.Number) *gapConn {
	k, gap := leastControl+rand.IntN(moreControl), leastGap+rand.IntN(moreGap)
	data := x.payload(2 * k)
	g := &gapConn{State: &flow.State{Env: x.env}, flags: x.flags, zero: zero, gap: zero.Add(-gap), control: data[:k],
		data: data[k:], echoes: flow.NewEchoes(), named: map[segment.SACKBlock]bool{}}
	if g.conn = g.Open(ctx, g.start().Add(-1)); g.conn != nil {
		g.conn.DataAcks, g.conn.Observer = true, g.observe
	}
	return g
}

// end ends a connection and keeps what it showed.
func (x *wrapTest) end(ctx context.Context, g *gapConn) {
	g.End(ctx, g.conn)
	x.state.Join(g.State)
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

// piece is a segment to be sent behind the gap.
type piece struct {
	at     seq.Number
	length int
}

func (g *gapConn) sendPiece(p piece) time.Time {
	return g.send(evidence.Suspect, p.at, g.data[:p.length])
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

// mostPiece is the longest piece. Beacons are as long.
const mostPiece = 64

// place draws a segment that lies at one place to 0.
type place func(g *gapConn) piece

// before starts behind the gap's first number and ends before 0.
func before(g *gapConn) piece {
	at := g.gap.Add(1 + rand.IntN(4))
	return piece{at, 1 + rand.IntN(g.zero.Sub(at)-1)}
}

func endsAtZero(g *gapConn) piece {
	n := 1 + rand.IntN(g.zero.Sub(g.gap)-1)
	return piece{g.zero.Add(-n), n}
}

func acrossZero(g *gapConn) piece {
	p := endsAtZero(g)
	p.length += 1 + rand.IntN(mostPiece-leastGap)
	return p
}

func beginsAtZero(g *gapConn) piece { return piece{g.zero, 1 + rand.IntN(mostPiece)} }

// beginsBeyond begins so many bytes beyond 0, from 1 to most: as often from 1 to 10 as from 10 to 100.
func beginsBeyond(most int) place {
	return func(g *gapConn) piece {
		return piece{g.zero.Add(distanceUpTo(1, most)), 1 + rand.IntN(mostPiece)}
	}
}

// distanceUpTo is a random distance whose logarithm is uniform.
func distanceUpTo(least, most int) int {
	from, to := math.Log(float64(least)), math.Log(float64(most)+1)
	return min(max(int(math.Exp(from+rand.Float64()*(to-from))), least), most)
}

// placeBlocks is how many blocks are sent while none decides: the second knows the loss of beacons better.
const placeBlocks = 2

// askPlace asks about segments at one place. One that arrives ends it; where none of a few does, blocks of them in
// random order among beacons decide, and late ones have their time.
func (x *wrapTest) askPlace(ctx context.Context, g *gapConn, draw place, arrived func() bool) (t verdict.PlaceTest) {
	found := x.fewArrive(ctx, g, draw, arrived)
	for i := 0; i < placeBlocks && !found && !t.Lost() && !g.stopped() && ctx.Err() == nil; i++ {
		t.Block = x.block(ctx, g, draw, arrived)
		found = arrived()
	}
	if t.Lost() {
		g.conn.Await(ctx, time.Now().Add(convictAfter), func(wire.Packet) bool { return arrived() || g.stopped() })
		if !g.alive(ctx) {
			t.Block = verdict.Confirmation{}
		}
	}
	t.Arrived = arrived()
	return t
}

// block sends one block. Only this test's own beacons tell how many are lost: a control that ends at 0 may have been
// lost because it ends there.
func (x *wrapTest) block(ctx context.Context, g *gapConn, draw place, arrived func() bool) (c verdict.Confirmation) {
	c.Alpha = verdict.WrapAlpha(x.alpha) / placeBlocks
	size, ok := verdict.BlockFor(c.Alpha, x.beacons.Rate(), flow.BeaconsASuspect)
	if !ok {
		return c
	}
	clear(g.echoes.Open)
	trials := flow.Trials{
		Suspect:   func() { g.sendPiece(draw(g)) },
		Beacon:    func() bool { g.sendBeacon(); return false },
		Answered:  g.answered,
		Delivered: arrived,
	}
	lost, ok := trials.Run(ctx, g.conn, x.env.Pace, size)
	if ok {
		c.Block, c.BeaconsLost = size, lost
		x.beacons.Sent, x.beacons.Lost = x.beacons.Sent+size.Beacons, x.beacons.Lost+lost
	}
	return c
}

// fewTries is how many segments are sent before a block. Nothing is concluded from their loss.
const fewTries = 4

func (x *wrapTest) fewArrive(ctx context.Context, g *gapConn, draw place, arrived func() bool) bool {
	for i := 0; i < fewTries && !arrived() && !g.stopped() && x.env.Pace(ctx, 1) == nil; i++ {
		sent := g.sendPiece(draw(g))
		g.conn.Await(ctx, sent.Add(g.conn.AnswerTimeout(i/2)), func(wire.Packet) bool { return arrived() || g.stopped() })
	}
	return arrived()
}

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
