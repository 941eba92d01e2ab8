package sequencewrap

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// piece is a segment to be sent behind the gap.
type piece struct {
	at     seq.Number
	length int
}

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

// placeBlocks is how many blocks are sent while none decides: the next one knows the loss of beacons better.
const placeBlocks = 3

// askPlace asks about segments at one place, and ends the connection unless a late one may still come: see settle. One
// that arrives ends it; where none of a few does, blocks of them in random order among beacons decide.
func (x *wrapTest) askPlace(ctx context.Context, t *verdict.PlaceTest, g *gapConn, draw place, arrived func() bool) {
	found := x.fewArrive(ctx, g, draw, arrived)
	for i := 0; i < placeBlocks && !found && !t.Lost() && !g.stopped() && ctx.Err() == nil; i++ {
		t.Block = x.block(ctx, g, draw, arrived)
		found = arrived()
	}
	if t.Arrived = found; t.Lost() {
		x.unsettled = append(x.unsettled, openTest{t, g, arrived, time.Now().Add(convictAfter)})
		return
	}
	x.end(ctx, g)
}

// openTest is a test that a late segment may still revoke.
type openTest struct {
	test    *verdict.PlaceTest
	conn    *gapConn
	arrived func() bool
	until   time.Time
}

// settle waits until what seems lost has had its time, and ends the connections. What arrives after all revokes the
// test; so does a peer that answers no more.
func (x *wrapTest) settle(ctx context.Context) {
	for _, o := range x.unsettled {
		done := func(wire.Packet) bool { return o.arrived() || o.conn.stopped() }
		o.conn.conn.Await(ctx, o.until, done)
		if !o.conn.alive(ctx) {
			o.test.Block = verdict.Confirmation{}
		}
		o.test.Arrived = o.arrived()
		x.end(ctx, o.conn)
	}
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
	lost, ok := trials.Run(ctx, g.conn, x.Env.Pace, size)
	if ok {
		c.Block, c.BeaconsLost = size, lost
		x.beacons.Sent, x.beacons.Lost = x.beacons.Sent+size.Beacons, x.beacons.Lost+lost
	}
	return c
}

// fewTries is how many segments are sent before a block. Nothing is concluded from their loss.
const fewTries = 4

func (x *wrapTest) fewArrive(ctx context.Context, g *gapConn, draw place, arrived func() bool) bool {
	for i := 0; i < fewTries && !arrived() && !g.stopped() && x.Env.Pace(ctx, 1) == nil; i++ {
		sent := g.sendPiece(draw(g))
		g.conn.Await(ctx, sent.Add(g.conn.AnswerTimeout(i/2)), func(wire.Packet) bool { return arrived() || g.stopped() })
	}
	return arrived()
}
