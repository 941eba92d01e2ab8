package sequencewrap

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// sendControl sends data like the suspect that ends where the suspect starts.
func (w *wrapConn) sendControl(ctx context.Context) bool {
	tries := controlTries
	if w.long() {
		tries = longTries
	}
	for i := range tries {
		if w.Env.Pace(ctx, 1) != nil {
			return false
		}
		w.Control.Sent++
		sent := w.sendPieces(w.start(), w.control)
		if w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), w.at) {
			w.copies.control = time.Since(sent)
			w.copies.longest = max(w.copies.longest, w.copies.control)
			w.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return true
		}
		if w.stopped() {
			return false
		}
		w.Control.Lost++
	}
	if w.tooLong = w.long(); !w.tooLong {
		w.Env.Background.Add(w.Control)
	}
	return false
}

// sendPieces sends data like the suspect's in as many segments as the peer's MSS requires: usually one.
func (w *wrapConn) sendPieces(at seq.Number, b []byte) time.Time {
	return w.sendPiecesAs(evidence.Control, at, b, w.flags&^segment.FIN)
}

func (w *wrapConn) sendPiecesAs(part evidence.Part, at seq.Number, b []byte, flags segment.Flags) time.Time {
	for n := w.conn.LongestSegment(); len(b) > n; at, b = at.Add(n), b[n:] {
		w.conn.TakeSegment()
		w.send(part, at, b[:n], flags)
	}
	return w.send(part, at, b, flags)
}

// sendFirst sends the suspect once. On a healthy path this is enough.
func (w *wrapConn) sendFirst(ctx context.Context) bool {
	if w.Env.Pace(ctx, 1) != nil {
		return false
	}
	c := w.sendSuspect(w.firstLength())
	w.conn.Await(ctx, c.sent.Add(w.promptness()), func(wire.Packet) bool { return w.delivered() || w.stopped() })
	w.Delivered = w.delivered()
	return w.Delivered
}

// cut reports whether only a part of the first suspect was acknowledged: the rest is missing as if it were lost. Where
// something divides segments, the rest follows.
func (w *wrapConn) cut(ctx context.Context) bool {
	first := w.copies.first()
	if whole := first.block.Right; !first.answered && !w.await(ctx, first.sent.Add(w.conn.AnswerTimeout(0)), whole) {
		w.Cut = ctx.Err() == nil && !w.stopped()
	}
	w.FirstLost = w.Cut
	return w.Cut
}

// firstPatience is how long the first suspect may take before beacons are sent. Nothing is concluded from it.
const firstPatience = 10 * time.Millisecond

// promptness returns how soon the first suspect is answered on a healthy path.
func (w *wrapConn) promptness() time.Duration { return 2*w.conn.RTT + firstPatience }

// firstLength returns the length of the first suspect. If it lies across 0 or has a FIN, it is as long as possible.
func (w *wrapConn) firstLength() int {
	if !w.varies() || w.across || w.length == flow.Full {
		return w.most
	}
	return min(w.length, w.most)
}

// nextLength returns a length that no copy had yet, as long as there is one.
func (w *wrapConn) nextLength() int {
	if !w.varies() {
		return w.most
	}
	if len(w.lengths) == 0 {
		w.lengths = lengthsBetween(w.least(), w.most)
		if first := w.copies.first(); len(w.copies.all) > 0 && first != nil && len(w.lengths) > 1 {
			w.lengths = slices.DeleteFunc(w.lengths, func(n int) bool { return n == first.length })
		}
	}
	n := w.lengths[0]
	w.lengths = w.lengths[1:]
	return n
}

// least returns the length of the shortest copy. If it lies across 0, it has one byte after 0.
func (w *wrapConn) least() int {
	if w.across {
		return len(w.control)/2 + 1
	}
	return 1
}

// send sends bytes at the given number.
func (w *wrapConn) send(part evidence.Part, at seq.Number, b []byte, flags segment.Flags) time.Time {
	return w.conn.Send(w.step(part, at, b, flags))
}

// step is a segment with bytes at the given number. With URG, the urgent pointer points after them.
func (w *wrapConn) step(part evidence.Part, at seq.Number, b []byte, flags segment.Flags) conn.Step {
	s := conn.Step{Part: part, Flags: flags, Seq: &at, Payload: b}
	if flags.Has(segment.URG) {
		s.Urgent = uint16(len(b))
	}
	return s
}

// sendSuspect sends a copy of the suspect with the given number of bytes.
func (w *wrapConn) sendSuspect(length int) *sentCopy {
	return w.sendCopy(trial{suspect: true, length: length})
}

func (w *wrapConn) sendCopy(t trial) *sentCopy {
	c := w.copies.add(&sentCopy{suspect: true, length: t.length, stamped: t.stamped,
		block: segment.SACKBlock{Left: w.at, Right: w.endOf(t.length)}, sent: time.Now()})
	s := w.step(evidence.Suspect, w.at, w.suspect[:t.length], w.flags)
	s.Stamped = t.stamped
	c.sent = w.conn.Send(s)
	return c
}

// sendWitness sends data after the missing suspect, once. The peer's SACK then shows that only the suspect is missing.
// After a FIN there is no data.
func (w *wrapConn) sendWitness(ctx context.Context) {
	if w.flags.Has(segment.FIN) || w.Env.Pace(ctx, 1) != nil {
		return
	}
	at := w.end.Add(1)
	sent := w.send(evidence.Witness, at, w.witness[:min(len(w.witness), w.most)], w.flags)
	w.Witnessed = w.conn.Await(ctx, sent.Add(w.conn.AnswerTimeout(0)), func(p wire.Packet) bool {
		return p.Segment != nil && slices.ContainsFunc(p.Segment.SACK,
			func(b segment.SACKBlock) bool { return b.Left == at })
	})
}
