package scenario

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// isolate shows that the number is to blame for the loss, and nothing else about the suspect.
func (w *wrap) isolate(ctx context.Context) {
	w.heal(ctx)
	if w.Isolated && w.flags.Has(segment.FIN) {
		w.Isolated = w.elsewhere(ctx)
	}
}

// heal sends the suspect's bytes in a segment that starts one byte earlier, or from both sides of 0 where the
// suspect lies across it: if they arrive, the bytes were never the trouble.
func (w *wrap) heal(ctx context.Context) {
	earlier := append([]byte{w.control[len(w.control)-1]}, w.suspect...)
	for i := 0; i < healTries && !w.Isolated && !w.stopped() && w.env.Pace(ctx, 1) == nil; i++ {
		at := w.at.Add(-1)
		if w.across {
			half := -w.at.Sub(seq.At(0))
			w.send("heal", w.at, w.suspect[:half], w.flags)
			at, earlier = seq.At(0), w.suspect[half:]
		}
		sent := w.send("heal", at, earlier, w.flags)
		w.Isolated = w.await(ctx, sent.Add(w.conn.Patience(i)), w.end)
	}
}

// elsewhere ends the connection and repeats the exchange in a fresh incarnation of the same 4-tuple with the FIN
// at an ordinary number.
func (w *wrap) elsewhere(ctx context.Context) bool {
	w.at = seq.At(1 << 31).Add(len(w.control))
	if !w.reopen(ctx, w.conn, w.start().Add(-1)) || !w.sendControl(ctx) {
		return false
	}
	end := w.at.Add(len(w.suspect) + 1)
	for i := 0; i < healTries && !w.stopped() && w.env.Pace(ctx, 1) == nil; i++ {
		sent := w.send("control", w.at, w.suspect, w.flags)
		if w.await(ctx, sent.Add(w.conn.Patience(i)), end) {
			return true
		}
	}
	return false
}

// reopenings is how often a late segment of the last incarnation may disturb the next one's handshake.
const reopenings = 4

// reopen ends the connection and opens a fresh incarnation of the same 4-tuple.
func (t *trace) reopen(ctx context.Context, c *conn.Conn, iss seq.Number) bool {
	for range reopenings {
		if c.Established() && !c.Abort(ctx) {
			return false
		}
		c.Again(iss)
		o := c.Handshake(ctx, t.env.Pace)
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
