package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// slots is the number of answers that are requested in one incarnation. One of them, at random, acknowledges exactly 0.
const slots = 4

// maxIncarnations is the largest number of incarnations. Where the answers that acknowledge the next numbers are lost
// as well, one leaves a p-value of 1, 3/4, 1/2 or 1/4, so forty are often too few for an error of 1e-9.
const maxIncarnations = 100

// reverse finds out whether the control arrives and only its answers are lost, because they acknowledge exactly 0. In
// that case data from 2^32-1 across 0 is answered. The prober chooses at random which answer of a connection
// acknowledges 0. So the test is valid for any loss, bursts included, and needs no second path.
func (w *wrapConn) reverse(ctx context.Context) {
	if w.across || w.stopped() || !w.acrossIsAnswered(ctx) {
		return
	}
	n := &w.AckZero
	n.P, n.Alpha = 1, w.Env.Alpha
	for tries := 0; n.P > n.Alpha && tries < maxIncarnations; tries++ {
		zero := rand.IntN(slots)
		from := seq.At(0).Add(-zero - 1)
		if !reopen(ctx, w.State, w.conn, from.Add(-len(w.control)-1)) {
			return
		}
		if w.upTo(ctx, from) && !w.count(w.incarnation(ctx, from, zero)) {
			return
		}
	}
}

// count adds an incarnation to the test. It returns false if the answer that acknowledges 0 arrived.
func (w *wrapConn) count(lost int, zeroLost bool) bool {
	if !zeroLost {
		w.AckZero.P = 1
		return false
	}
	w.AckZero.Made++
	w.AckZero.P *= float64(lost) / slots
	return true
}

// acrossIsAnswered sends the control's last byte and more data across 0.
func (w *wrapConn) acrossIsAnswered(ctx context.Context) bool {
	for i := 0; i < healTries && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		if w.sendAcross(); w.await(ctx, time.Now().Add(w.conn.AnswerTimeout(i)), seq.At(1)) {
			return true
		}
	}
	return false
}

func (w *wrapConn) sendAcross() {
	last := w.control[len(w.control)-1:]
	w.send(evidence.Across0, seq.At(0).Add(-1), append(last[:1:1], w.witness...), segment.PSH|segment.ACK)
}

// incarnation requests an answer in each slot, each for one byte more than the previous one. It returns how many were
// lost, and whether the one that acknowledges 0 is among them. The slots differ only in their numbers.
func (w *wrapConn) incarnation(ctx context.Context, from seq.Number, zero int) (lost int, zeroLost bool) {
	for slot := range slots {
		if w.Env.Pace(ctx, 2) != nil || w.stopped() {
			return lost, false
		}
		if !w.slotAnswered(ctx, from.Add(slot+1)) {
			lost++
			zeroLost = zeroLost || slot == zero
		}
	}
	return lost, zeroLost && ctx.Err() == nil
}

// slotAnswered sends all data from the last acknowledged byte up to end, and waits for an answer. It sends the data
// twice: the acknowledgement of new data may be delayed, that of old data is not.
func (w *wrapConn) slotAnswered(ctx context.Context, end seq.Number) bool {
	at := w.conn.Acked().Add(-1)
	bytes := w.witness[:end.Sub(at)]
	w.send(evidence.AcknowledgedWith(end.Uint32()), at, bytes, segment.ACK)
	sent := w.send(evidence.AcknowledgedWith(end.Uint32()), at, bytes, segment.ACK)
	return w.await(ctx, sent.Add(w.conn.AnswerTimeout(1)), end)
}

// upTo sends the control, which ends at that number, until it is acknowledged.
func (w *wrapConn) upTo(ctx context.Context, end seq.Number) bool {
	for i := 0; i < controlTries && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := w.send(evidence.Control, end.Add(-len(w.control)), w.control, segment.PSH|segment.ACK)
		if w.await(ctx, sent.Add(w.conn.AnswerTimeout(i)), end) {
			return true
		}
	}
	return false
}
