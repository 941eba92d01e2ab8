package sequencewrap

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// sizeTries is how often the bound between lengths is looked for: where answers are late, by this host's own lag too,
// lengths are taken for lost that are not.
const sizeTries = 3

// bySize tests whether copies are lost by their length, if those that were lost and those that arrived suggest it. Each
// try has a part of the error.
func (w *wrapConn) bySize(ctx context.Context) {
	alpha := w.Env.Alpha * verdict.SizeShare / sizeTries
	n, possible := verdict.EvenBlockFor(alpha, w.controlLoss())
	for i := 0; possible && i < sizeTries && ctx.Err() == nil && !w.stopped(); i++ {
		bound, ok := w.boundOfSizes(ctx)
		if !ok || w.arrives(ctx, bound.Lost.Least) || w.arrives(ctx, bound.Lost.Most) {
			return
		}
		if bound = w.narrowed(ctx, bound); !w.holds(ctx, bound) {
			continue
		}
		contradicted := func(e verdict.Exchange) bool {
			lost, arrived := bound.Among(e.Copies)
			return arrived > 1 && arrived > lost
		}
		found, ok := w.exchange(ctx, sizeTrials(bound, n), w.inTime(), contradicted)
		if ok {
			w.Sizes = verdict.SizeTest{Bound: bound, Copies: found, Alpha: alpha}
			return
		}
	}
}

// boundOfSizes is the length that separates the suspects that were lost from those that arrived.
func (w *wrapConn) boundOfSizes(ctx context.Context) (verdict.Bound, bool) {
	suspects := w.suspects()
	w.settle(ctx, suspects, lostAfter)
	return verdict.BoundOf(fates(suspects))
}

// holds reports whether no suspect of the lengths that were lost has arrived late.
func (w *wrapConn) holds(ctx context.Context, b verdict.Bound) bool {
	suspects := w.suspects()
	w.settle(ctx, suspects, lostAfter)
	_, arrived := b.Among(fates(suspects))
	return arrived == 0
}

// suspects are all copies of the suspect.
func (w *wrapConn) suspects() []*sentCopy {
	return slices.DeleteFunc(slices.Clone(w.copies.all), func(c *sentCopy) bool { return !c.suspect })
}

// arrives asks once whether a copy of that length is answered soon.
func (w *wrapConn) arrives(ctx context.Context, length int) bool {
	if w.Env.Pace(ctx, 1) != nil || w.stopped() {
		return false
	}
	c := w.sendSuspect(length)
	w.conn.Await(ctx, c.sent.Add(w.apart()), func(wire.Packet) bool { return c.answered || w.stopped() })
	return c.answered
}

// narrowed halves the lengths between those that were lost and those that arrived until they touch: so the message can
// say where the bound is. What is unanswered is asked twice.
func (w *wrapConn) narrowed(ctx context.Context, b verdict.Bound) verdict.Bound {
	for length, ok := b.Between(); ok && ctx.Err() == nil && !w.stopped(); length, ok = b.Between() {
		arrived := w.arrives(ctx, length)
		if !arrived {
			arrived = w.arrives(ctx, length)
		}
		b = b.With(length, arrived)
	}
	if b.ShortLost() {
		return verdict.Bound{Lost: verdict.Range{Least: w.least(), Most: b.Lost.Most},
			Arrived: verdict.Range{Least: b.Arrived.Least, Most: w.most}}
	}
	return verdict.Bound{Lost: verdict.Range{Least: b.Lost.Least, Most: w.most},
		Arrived: verdict.Range{Least: w.least(), Most: b.Arrived.Most}}
}

// sizeTrials are as many suspects and controls each of the lengths that were lost, and suspects of the others. Which of
// the lengths that were lost are those of suspects is chance, and so is the order of all.
func sizeTrials(b verdict.Bound, n int) (out []trial) {
	lost, others := drawn(b.Lost, 2*n), drawn(b.Arrived, n)
	rand.Shuffle(len(lost), func(i, j int) { lost[i], lost[j] = lost[j], lost[i] })
	for i, length := range lost {
		out = append(out, trial{suspect: i < n, length: length})
	}
	for _, length := range others {
		out = append(out, trial{suspect: true, length: length})
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// drawn are n lengths of a range, each as often as the others, or once more.
func drawn(r verdict.Range, n int) (out []int) {
	for len(out) < n {
		out = append(out, lengthsBetween(r.Least, r.Most)...)
	}
	return out[:n]
}
