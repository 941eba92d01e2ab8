package scenario

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// slots are the answers that one incarnation asks for; one of them, at random, is to acknowledge exactly 0.
const slots = 4

// mostIncarnations bounds the test; a quarter to the power of half as many is below every useful error.
const mostIncarnations = 40

// reverse finds out whether the control arrives and only its answers are lost, because they acknowledge exactly 0:
// then data from 2^32-1 across 0 is answered. Which answer of a connection acknowledges 0 is the prober's random
// choice, so that the test holds for any loss, bursts included, and needs no second path.
func (w *wrap) reverse(ctx context.Context) {
	if w.across || w.stopped() || !w.acrossIsAnswered(ctx) {
		return
	}
	n := &w.AckZero
	n.P, n.Alpha = 1, w.env.Alpha
	for tries := 0; n.P > n.Alpha && tries < mostIncarnations && w.reopen(ctx, w.conn, w.start().Add(-1)); tries++ {
		if w.almost(ctx) && !w.count(w.incarnation(ctx, rand.IntN(slots))) {
			return
		}
	}
}

// count adds an incarnation to the test; false if the answer that acknowledges 0 arrived.
func (w *wrap) count(lost int, zeroLost bool) bool {
	if !zeroLost {
		w.AckZero.P = 1
		return false
	}
	w.AckZero.Made++
	w.AckZero.P *= float64(lost) / slots
	return true
}

// acrossIsAnswered sends the control's last byte and more, across 0.
func (w *wrap) acrossIsAnswered(ctx context.Context) bool {
	for i := 0; i < healTries && !w.stopped() && w.env.Pace(ctx, 1) == nil; i++ {
		if w.sendAcross(); w.await(ctx, time.Now().Add(w.conn.Patience(i)), seq.At(1)) {
			return true
		}
	}
	return false
}

func (w *wrap) sendAcross() {
	last := w.control[len(w.control)-1:]
	w.send("across 0", seq.At(0).Add(-1), append(last[:1:1], w.witness...), segment.PSH|segment.ACK)
}

// incarnation asks for an answer in each slot and counts those that were lost. zeroLost says whether the one that
// acknowledges 0 is among them.
func (w *wrap) incarnation(ctx context.Context, zero int) (lost int, zeroLost bool) {
	for slot := range slots {
		if w.env.Pace(ctx, 2) != nil || w.stopped() {
			return lost, false
		}
		clear(w.echoes.open)
		switch slot {
		case zero:
			last := seq.At(0).Add(-1)
			w.send("to be acknowledged with 0", last, w.control[len(w.control)-1:], segment.ACK)
		case zero + 1:
			w.sendAcross()
		default:
			w.sendBeacon()
		}
		if !w.slotAnswered(ctx, slot, zero) {
			lost++
			zeroLost = zeroLost || slot == zero
		}
	}
	return lost, zeroLost && ctx.Err() == nil
}

// slotAnswered adds a beacon, since an acknowledgement of data may be delayed, and waits for an answer to either.
func (w *wrap) slotAnswered(ctx context.Context, slot, zero int) bool {
	sent := w.sendBeacon()
	return w.conn.Await(ctx, sent.Add(w.conn.Patience(1)), func(p wire.Packet) bool {
		switch slot {
		case zero:
			return w.conn.Acked().AtLeast(seq.At(0))
		case zero + 1:
			return w.conn.Acked().AtLeast(seq.At(1))
		}
		return w.answered(p)
	})
}

// almost has all of the control but its last byte acknowledged.
func (w *wrap) almost(ctx context.Context) bool {
	most := w.control[:len(w.control)-1]
	for i := 0; i < controlTries && !w.stopped() && w.env.Pace(ctx, 1) == nil; i++ {
		sent := w.send("control", w.start(), most, segment.PSH|segment.ACK)
		if w.await(ctx, sent.Add(w.conn.Patience(i)), seq.At(0).Add(-1)) {
			return true
		}
	}
	return false
}
