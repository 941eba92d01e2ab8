package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// askResets asks whether the suspect draws an RST because of its number, if one came after it. An application that
// closes does so at other numbers as well. Two connections are asked first, which costs no error. A flow that has asked
// about loss does not ask: it has spent that part of the error.
func (w *wrapConn) askResets(ctx context.Context) {
	first := w.copies.first()
	if first == nil || !w.conn.Reset() || w.Explained() || w.LossAsked {
		return
	}
	w.recheck(ctx)
	defer w.recheck(ctx)
	w.Resets.Received = append(w.Resets.Received, w.Reset)
	reset, ok := w.drawsReset(ctx, ordinary())
	if w.Resets.Elsewhere = reset; reset || !ok {
		return
	}
	if reset, ok := w.drawsReset(ctx, seq.At(0)); !reset || !ok {
		return
	}
	turn := w.Env.Budget.Spend(ctx, func(t verdict.Turn) bool {
		alpha := t.Alpha
		if !t.Follows {
			alpha *= verdict.DroppedShare
		}
		w.compareResets(ctx, alpha)
		return w.Resets.Significant()
	})
	w.Followed = turn.Follows && w.Resets.Significant()
	if turn.Leads {
		w.Env.Budget.Settle(true)
	}
}

// compareResets sends the suspect in fresh connections of the same ports, at 0 and at other numbers in random order.
func (w *wrapConn) compareResets(ctx context.Context, alpha float64) {
	size, ok := verdict.BlockFor(alpha, flow.LeastLoss, 1)
	if !ok {
		return
	}
	t := &w.Resets
	t.Alpha = alpha
	for _, suspect := range flow.Shuffled(size) {
		n, number := &t.Others, ordinary()
		if suspect {
			n, number = &t.Zero, seq.At(0)
		}
		reset, ok := w.drawsReset(ctx, number)
		if !ok {
			continue
		}
		n.Sent++
		if reset {
			n.Lost++
		}
		if ctx.Err() != nil || t.Hopeless() {
			return
		}
	}
	t.Done = ctx.Err() == nil
}

// drawsReset opens a new incarnation of the 4-tuple whose suspect is at that number, or crosses it, and reports whether
// an RST comes. ok is false if the control was not acknowledged.
func (w *wrapConn) drawsReset(ctx context.Context, number seq.Number) (reset, ok bool) {
	w.recheck(ctx)
	k := len(w.control)
	if !w.long() {
		k = leastControl + rand.IntN(moreControl) // another incarnation begins at another number
	}
	w.layOut(number, k)
	w.copies, w.lengths = copies{}, nil
	w.conn.Observer = w.copies.observe
	if !reopen(ctx, w.State, w.conn, w.start().Add(-1)) {
		return false, false
	}
	w.copies.acked, w.most = w.conn.Acked(), min(len(w.suspect), w.conn.LongestSegment())
	if !w.sendControl(ctx) || w.Env.Pace(ctx, 1) != nil {
		return false, false
	}
	c := w.sendSuspect(w.firstLength())
	w.conn.Await(ctx, c.sent.Add(w.conn.AnswerTimeout(1)), func(wire.Packet) bool { return c.answered || w.stopped() })
	if !w.stopped() { // an RST may follow the acknowledgement
		w.conn.Await(ctx, time.Now().Add(w.promptness()), func(wire.Packet) bool { return w.stopped() })
	}
	reset = w.conn.Reset()
	w.recheck(ctx)
	if reset && number.IsZero() {
		w.Resets.Received = append(w.Resets.Received, w.conn.ReceivedReset())
	}
	return reset, ctx.Err() == nil && w.conn.Fault() == nil
}

// recheck looks at an RST that came. If the peer holds the connection nevertheless and waits for number 0, other
// segments take it beyond, so that the RST which ends the connection has another number.
func (w *wrapConn) recheck(ctx context.Context) {
	if lookAtReset(w.State, w.conn) && w.conn.Acked().IsZero() {
		w.healAtEnd(ctx)
	}
}

// lookAtReset asks whether the peer holds a connection after an RST, and keeps what is known about the first RST of the
// flow. It reports whether an RST came and the connection is open.
func lookAtReset(t *flow.State, c *conn.Conn) (open bool) {
	open = c.Reset() && c.Recheck()
	if t.Reset == nil {
		t.Reset = c.ReceivedReset()
	}
	return open
}

// countReset counts an RST to a segment that is asked about one by one; nil: it drew none.
func (s *standalone) countReset(part evidence.Part, r *conn.ReceivedReset) {
	n := &s.Resets.Others
	if part == evidence.Suspect {
		n = &s.Resets.Zero
	}
	n.Sent++
	if r == nil {
		return
	}
	n.Lost++
	if part == evidence.Suspect {
		s.Resets.Received = append(s.Resets.Received, r)
	}
}

// refusedSYN counts a SYN that an RST refuses. A closed port refuses each.
func (s *standalone) refusedSYN(part evidence.Part, o conn.Opening) (arrived bool) {
	if s.Opening.Answer == conn.ResetAnswer {
		return true
	}
	s.countReset(part, &conn.ReceivedReset{Traits: conn.Traits{HopLimit: o.HopLimit}, On: evidence.SYN,
		Peer: s.conn.HopLimits()})
	return false
}
