package sequencewrap

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// isolate shows that the suspect is lost because of its number 0. It rules out other reasons: the suspect's bytes, a
// range of numbers from 0 on, and a FIN at any number. Unless the peer's SACK has shown that what follows arrives, the
// wrap is asked about first: as long as 0 is not passed, a segment that starts before it can end the connection.
func (w *wrapConn) isolate(ctx context.Context) {
	if !w.Witnessed && w.askWrap(ctx) {
		return
	}
	w.Isolated = w.heal(ctx)
	switch {
	case !w.Isolated && w.beyond.used: // what starts earlier is old and dropped
		w.Isolated = w.arrivesAtOtherNumbers(ctx)
	case !w.Isolated && w.Witnessed:
		w.askWrap(ctx)
	case !w.Isolated:
	case w.flags.Has(segment.FIN):
		w.Isolated = w.arrivesAtOtherNumbers(ctx)
	case !w.Witnessed:
		w.Isolated = w.sendBeyond(ctx)
	}
}

// sendBeyond sends the data after the suspect. A device that drops a range of numbers drops that too.
func (w *wrapConn) sendBeyond(ctx context.Context) bool {
	for i := 0; i < healTries && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		at := w.conn.Acked()
		rest := append(slices.Clone(w.suspect[min(at.Sub(w.at), len(w.suspect)):]), w.next...)
		rest = rest[:min(len(rest), w.most)]
		sent := w.send(evidence.Control, at, rest, w.flags)
		if w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), at.Add(len(rest))) {
			return true
		}
	}
	return false
}

// heal sends the suspect's bytes in a segment that starts one byte earlier, or, if the suspect starts before 0, in one
// segment on each side of 0. If they arrive, the bytes were not the reason.
func (w *wrapConn) heal(ctx context.Context) (arrived bool) {
	earlier := append([]byte{w.control[len(w.control)-1]}, w.suspect[:min(len(w.suspect), max(w.most-1, 0))]...)
	w.copies.filled = true
	tries := healTries
	if w.beyond.used {
		tries = oldHealTries
	}
	for i := 0; i < tries && !arrived && !w.stopped() && !w.copies.ackHeld() && w.Env.Pace(ctx, 1) == nil; i++ {
		at := w.at.Add(-1)
		if w.across {
			half := -w.at.Sub(seq.At(0))
			w.conn.TakeSegment()
			w.send(evidence.Heal, w.at, w.suspect[:half], w.flags)
			at, earlier = seq.At(0), w.suspect[half:]
		}
		sent := w.send(evidence.Heal, at, earlier, w.flags)
		arrived = w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), w.healed(at, earlier))
	}
	return arrived
}

// oldHealTries is how often that is tried where old bytes are dropped.
const oldHealTries = 2

// healed returns the number after the bytes of a Heal.
func (w *wrapConn) healed(at seq.Number, b []byte) seq.Number {
	if w.flags.Has(segment.FIN) {
		return at.Add(len(b) + 1)
	}
	return at.Add(len(b))
}
