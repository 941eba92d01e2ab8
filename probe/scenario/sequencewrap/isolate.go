package sequencewrap

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// isolate shows that the number is to blame for the loss, and nothing else about the suspect: neither its bytes, nor
// all numbers from 0 on, nor a FIN wherever it is.
func (w *wrapConn) isolate(ctx context.Context) {
	switch w.heal(ctx); {
	case !w.Isolated:
	case w.flags.Has(segment.FIN):
		w.Isolated = w.elsewhere(ctx)
	case !w.Witnessed:
		w.Isolated = w.beyond(ctx)
	}
}

// beyond sends what follows the suspect's bytes: a device that drops a range of numbers loses that as well.
func (w *wrapConn) beyond(ctx context.Context) bool {
	for i := 0; i < healTries && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		at := w.conn.Acked()
		rest := append(slices.Clone(w.suspect[min(at.Sub(w.at), len(w.suspect)):]), w.next...)
		rest = rest[:min(len(rest), w.most)]
		sent := w.send(evidence.Control, at, rest, w.flags)
		if w.await(ctx, sent.Add(w.conn.Patience(i)), at.Add(len(rest))) {
			return true
		}
	}
	return false
}

// heal sends the suspect's bytes in a segment that starts one byte earlier, or from both sides of 0 where the
// suspect lies across it: if they arrive, the bytes were never the trouble.
func (w *wrapConn) heal(ctx context.Context) {
	earlier := append([]byte{w.control[len(w.control)-1]}, w.suspect[:min(len(w.suspect), max(w.most-1, 0))]...)
	w.copies.filled = true
	for i := 0; i < healTries && !w.Isolated && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		at := w.at.Add(-1)
		if w.across {
			half := -w.at.Sub(seq.At(0))
			w.send(evidence.Heal, w.at, w.suspect[:half], w.flags)
			at, earlier = seq.At(0), w.suspect[half:]
		}
		sent := w.send(evidence.Heal, at, earlier, w.flags)
		w.Isolated = w.await(ctx, sent.Add(w.conn.Patience(i)), w.healed(at, earlier))
	}
}

// healed is the number after bytes that heal.
func (w *wrapConn) healed(at seq.Number, b []byte) seq.Number {
	if w.flags.Has(segment.FIN) {
		return at.Add(len(b) + 1)
	}
	return at.Add(len(b))
}

// mostElsewhere bounds how often a FIN is tried at an ordinary number.
const mostElsewhere = 24

// elsewhere sends the suspect at an ordinary number, once in each of several fresh incarnations of the same 4-tuple,
// until enough arrived to exclude that it is FINs that the path loses.
func (w *wrapConn) elsewhere(ctx context.Context) bool {
	lostAtZero := w.Blocks[len(w.Blocks)-1].Suspects
	for range mostElsewhere {
		w.at = ordinary()
		if !reopen(ctx, w.State, w.conn, w.start().Add(-1)) || !w.sendControl(ctx) || w.Env.Pace(ctx, 1) != nil {
			return false
		}
		sent := w.send(evidence.Control, w.at, w.suspect[:w.most], w.flags)
		w.Elsewhere.Sent++
		if !w.await(ctx, sent.Add(w.conn.Patience(0)), w.endOf(w.most)) {
			w.Elsewhere.Lost++
		}
		if verdict.Fisher(lostAtZero, lostAtZero, w.Elsewhere.Lost, w.Elsewhere.Sent) <= isolationAlpha {
			return true
		}
	}
	return false
}

// isolationAlpha is the error of saying that a FIN at 0, whose loss is beyond chance, is lost more often than others.
const isolationAlpha = 1e-3

// reopenings is how often a late segment of the last incarnation may disturb the next one's handshake.
const reopenings = 4

// reopen ends the connection and opens a fresh incarnation of the same 4-tuple.
func reopen(ctx context.Context, t *flow.State, c *conn.Conn, iss seq.Number) bool {
	for range reopenings {
		if c.Established() && !c.Abort(ctx) {
			return false
		}
		c.Again(iss)
		o := c.Handshake(ctx, t.Env.Pace)
		switch o.Answer {
		case conn.SynAck:
			return true
		case conn.StaleAck, conn.WrongAck:
			c.Clear(o.Wrong)
		default:
			return false
		}
	}
	return false
}
