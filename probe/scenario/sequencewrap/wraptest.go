package sequencewrap

import (
	"context"
	"math/rand/v2"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// wrapTest tells a lost number 0 from a wrap that breaks: it asks, in connections of its own, about segments by where
// they start and end.
type wrapTest struct {
	*wrapConn               // the connection that lost what touches 0
	like      segment.Flags // of all segments with data
	alpha     float64
	beacons   verdict.Count
	found     verdict.Wrap
	unsettled []openTest
	silent    bool // not even a connection that stays before 0 gets its data through
}

// askWrap is asked by one flow of a check at a time. It reports whether the wrap explains the loss.
func (w *wrapConn) askWrap(ctx context.Context) bool {
	w.Wrap = w.Env.Wraps.Ask(ctx, func(alpha float64) (verdict.Wrap, bool) {
		flags := w.flags &^ (segment.FIN | segment.URG)
		if !w.data {
			flags |= segment.PSH
		}
		x := &wrapTest{wrapConn: w, like: flags | segment.ACK, alpha: alpha}
		x.run(ctx)
		w.Wrap = x.found
		return x.found, ctx.Err() == nil && (w.WrapBroken() || x.silent)
	})
	return w.WrapBroken()
}

// uncontrolled asks why the control, which ends at 0, is not acknowledged: its acknowledgement is lost, or it is lost
// because it ends there.
func (w *wrapConn) uncontrolled(ctx context.Context) {
	if w.reverse(ctx); w.AckZero.Significant() {
		w.askAlike(ctx, w.acknowledgedAtAlike)
	}
	if w.AckZero.Made == 0 && !w.across && !w.stopped() && ctx.Err() == nil {
		w.askWrap(ctx)
	}
}

// run asks what is likeliest first, and stops where the wrap explains nothing.
func (x *wrapTest) run(ctx context.Context) {
	x.ask(ctx)
	x.settle(ctx)
}

func (x *wrapTest) ask(ctx context.Context) {
	f := &x.found
	lostAtZero := x.LossConfirmed() && !x.across
	var first verdict.PlaceTest
	x.single(ctx, &first, before)
	if f.Before = first.Arrived; !f.Before {
		x.silent = true
		return
	}
	x.askBeyond(ctx)
	if !f.Beyond.Lost() && lostAtZero {
		return
	}
	if x.single(ctx, &f.EndsAt, endsAtZero); !f.EndsAt.Lost() && !f.Beyond.Lost() {
		return
	}
	x.single(ctx, &f.Across, acrossZero)
	if !lostAtZero {
		x.single(ctx, &f.AtZero, beginsAtZero)
	}
	if f.Elsewhere = x.elsewhere(ctx); !f.Elsewhere || !f.Beyond.Lost() {
		return
	}
	if x.across && f.AtZero.Lost() {
		x.onceAcknowledged(ctx)
	}
	if !f.Acknowledged.Arrived {
		f.Far = x.far(ctx)
	}
}

// single asks about one place in a connection of its own.
func (x *wrapTest) single(ctx context.Context, t *verdict.PlaceTest, draw place) {
	if g, ok := x.openGap(ctx, seq.At(0)); ok {
		x.askPlace(ctx, t, g, draw, func() bool { return len(g.named) > 0 })
	}
}

// Bounds of the distance beyond 0 that a connection's own window allows for.
const (
	mostBeyond  = 1 << 14
	leastWindow = 1 << 10
)

// askBeyond asks about what starts after 0: just after it, as far as the peer's window lets it be asked, and between,
// until what is lost and what arrives touch or nothing arrives. The block then is about all distances that are lost.
func (x *wrapTest) askBeyond(ctx context.Context) {
	g, ok := x.openGap(ctx, seq.At(0))
	if !ok {
		return
	}
	near, far := 1, max(min(mostBeyond, g.window-leastWindow), 1)
	if x.arrivesAt(ctx, g, near) {
		x.found.Beyond.Arrived = true
		x.end(ctx, g)
		return
	}
	b := verdict.Bound{Lost: verdict.Range{Least: near, Most: far}}
	if x.arrivesAt(ctx, g, far) {
		b = x.bound(ctx, g, far)
	}
	x.found.Distances = b
	last := g.zero.Add(b.Lost.Most)
	x.askPlace(ctx, &x.found.Beyond, g, beginsBeyond(b.Lost.Most), func() bool { return g.hasUpTo(last) })
}

// bound halves the distances between the nearest, which is lost, and one that arrives.
func (x *wrapTest) bound(ctx context.Context, g *gapConn, arrives int) verdict.Bound {
	b := verdict.Bound{Lost: verdict.Range{Least: 1, Most: 1}, Arrived: verdict.Range{Least: arrives, Most: arrives}}
	for b.Arrived.Least-b.Lost.Most > 1+b.Lost.Most/16 && ctx.Err() == nil && !g.stopped() {
		between := (b.Lost.Most + b.Arrived.Least) / 2
		if b.Arrived.Least > 4*b.Lost.Most {
			between = 2 * b.Lost.Most
		}
		b = b.With(between, x.arrivesAt(ctx, g, between))
	}
	return b
}

// arrivesAt asks whether a byte so far beyond 0 arrives. What is lost is asked again.
func (x *wrapTest) arrivesAt(ctx context.Context, g *gapConn, distance int) bool {
	p := piece{g.zero.Add(distance), 1}
	return x.fewArrive(ctx, g, func(*gapConn) piece { return p }, func() bool { return g.has(p) })
}

// elsewhere reports whether what is lost arrives beyond, or up to, another number.
func (x *wrapTest) elsewhere(ctx context.Context) bool {
	g, ok := x.openGap(ctx, upperHalf())
	if !ok {
		return false
	}
	defer x.end(ctx, g)
	if x.found.Beyond.Lost() && !x.arrivesAt(ctx, g, x.found.Distances.Lost.Most) {
		return false
	}
	ends := endsAtZero(g)
	return !x.found.EndsAt.Lost() ||
		x.fewArrive(ctx, g, func(*gapConn) piece { return ends }, func() bool { return g.has(ends) })
}

// upperHalf is a number far from 0 in the half of all numbers where those begin that cross 0.
func upperHalf() seq.Number {
	const half, far = 1 << 31, 1 << 24
	return seq.At(half + far + rand.Uint32N(half-2*far))
}

// onceAcknowledged asks about what starts at 0 in a connection whose gap was filled: the acknowledgement of 0 has gone
// by on the path.
func (x *wrapTest) onceAcknowledged(ctx context.Context) {
	g, ok := x.openGap(ctx, seq.At(0))
	if !ok {
		return
	}
	n := g.zero.Sub(g.gap)
	if !g.acknowledged(ctx, g.gap, g.data[:n], g.zero) {
		x.end(ctx, g)
		return
	}
	x.askPlace(ctx, &x.found.Acknowledged, g, beginsAtZero, func() bool { return g.conn.Acked().After(g.zero) })
}
