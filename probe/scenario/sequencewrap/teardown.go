package sequencewrap

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// tearDown ends the connection. It records an RST that the peer sent before. If the peer closed its side, its kernel
// may have replaced the connection by a smaller state that answers beacons differently. Tests that were not conclusive
// by then say nothing about the path.
func (w *wrapConn) tearDown(ctx context.Context) {
	if w.copies.late() {
		w.Env.Lateness.Late()
	}
	undecided := !w.Delivered && !w.LossConfirmed()
	answered := w.LossConfirmed() && w.Isolated || w.AckZero.Made > 0 || w.Explained() // the tests were conclusive before
	w.recheck(ctx)
	w.PeerReset = w.Opening.Answer == conn.SynAck && !answered && (w.Reset != nil || w.conn.Closed() && undecided)
	if !w.copies.filled && w.conn.Acked().IsZero() {
		w.healAtEnd(ctx) // otherwise the RST would have number 0 and could be dropped too
	}
	w.State.End(ctx, w.conn)
}

// lateHeals is how many heals have time once the run's deadline has passed.
const lateHeals = 2

// healAtEnd heals although ctx may have ended. When it ends, lateHeals are what there is time for.
func (w *wrapConn) healAtEnd(ctx context.Context) {
	late, cancel := context.WithCancel(w.conn.EndContext())
	left := time.Duration(0)
	for i := range lateHeals {
		left += w.conn.AnswerTimeout(i)
	}
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(left, cancel) })
	w.heal(late)
	stop()
	cancel()
}
