package sequencewrap

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Late is not lost. A copy counts as lost after lostAfter without an answer, or after twice the longest delay that the
// connection has seen, or after three round trips, whichever is longest, up to maxPatience. A conviction waits until
// each copy that it rests on has had convictAfter: the first ones alone may have been lost by chance. A flow that
// follows another waits less, if an earlier conviction has shown that nothing is late here.
const (
	lostAfter    = time.Second
	convictAfter = 4 * time.Second
	maxPatience  = 10 * time.Second
)

// patience is how long a copy may be on its way.
func (w *wrapConn) patience(least time.Duration) time.Duration {
	return min(max(least, 2*w.copies.longest, 3*w.conn.RTT), maxPatience)
}

// dropped tests whether every copy of the suspect is lost. The blocks are sent in the flow's turn; the wait for late
// answers comes after it, so that it holds up nobody.
func (w *wrapConn) dropped(ctx context.Context) {
	var decided time.Time // when the copies that convict had been sent
	turn := w.Env.Budget.Spend(ctx, func(t verdict.Turn) bool {
		alpha := t.Alpha
		if !t.Follows {
			alpha *= verdict.DroppedShare
		}
		w.LossAsked = true
		w.confirm(ctx, alpha)
		decided = time.Now()
		return w.LossConfirmed()
	})
	if !w.LossConfirmed() {
		return
	}
	gone := w.staysMissing(ctx, turn, decided) && w.stillMissing(ctx)
	if w.Followed = turn.Follows && gone; gone {
		w.isolate(ctx)
	}
	if turn.Leads {
		w.Env.Settle(gone && (w.Isolated || w.WrapBroken()))
	}
	if gone && w.Isolated && !w.WrapBroken() {
		w.askAlike(ctx, w.arrivesAtAlike)
	}
}

// maxBlocks is how many blocks are sent, each larger as the loss of beacons is known better, while none decides.
const maxBlocks = 3

// confirm sends randomised blocks until one decides. Each spends its part of alpha. Their beacons are like the suspect
// in length and flags, so that loss by these falls on both: which of the lengths are those of suspects is chance.
func (w *wrapConn) confirm(ctx context.Context, alpha float64) {
	block := flow.Trials{
		Suspect:   func() { w.sendSuspect(w.nextLength()) },
		Beacon:    func() bool { w.sendLike(trial{length: w.nextLength()}); return false },
		Answered:  w.answered,
		Several:   w.beyond.used,
		Delivered: w.delivered,
	}
	for range maxBlocks {
		size, ok := verdict.BlockFor(alpha/maxBlocks, w.Env.Background.Count().Rate(), flow.BeaconsASuspect)
		if !ok {
			return
		}
		clear(w.echoes.Open) // late answers to earlier beacons must not pass for answers to the block's
		lost, ok := block.Run(ctx, w.conn, w.Env.Pace, size)
		w.Delivered = w.delivered()
		if !ok || w.stopped() || !w.stillMissing(ctx) {
			return
		}
		w.Env.Background.Add(verdict.Count{Sent: size.Beacons, Lost: lost})
		w.Blocks = append(w.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha / maxBlocks})
		if w.LossConfirmed() {
			return
		}
	}
}

// stillMissing asks once more, after everything that was sent, what the peer has: an acknowledgement
// may have been delayed, or lost.
func (w *wrapConn) stillMissing(ctx context.Context) bool {
	for i := range controlTries {
		if w.Env.Pace(ctx, 1) != nil {
			return false
		}
		sent := w.sendBeacon()
		if w.conn.Await(ctx, sent.Add(w.conn.AnswerTimeout(i)), w.answered) {
			w.Delivered = w.delivered()
			return !w.Delivered
		}
	}
	return false
}

// More copies are sent after a conviction: what is lost nine times of ten is not lost always. Few are where the flow
// follows another.
const (
	moreCopies      = 24
	moreOfFollowing = 2
)

// staysMissing sends more copies, and waits until each has had its time. One that arrives after all revokes the
// conviction.
func (w *wrapConn) staysMissing(ctx context.Context, turn verdict.Turn, decided time.Time) bool {
	n := moreCopies
	if turn.Follows {
		n = moreOfFollowing
	}
	for i := 0; i < n && !w.delivered() && !w.stopped() && w.Env.Pace(ctx, 1) == nil; i++ {
		w.sendSuspect(w.moreLength(i))
		w.conn.Drain(func(wire.Packet) {})
	}
	if turn.Leads {
		w.Env.OnlyWaits()
	}
	over := func(wire.Packet) bool { return w.delivered() || w.stopped() }
	arrived := w.conn.Await(ctx, w.enoughTime(turn, decided), over)
	if w.Delivered = w.delivered(); w.Delivered {
		w.Blocks = nil
	}
	return !arrived && !w.stopped() && ctx.Err() == nil
}

// moreLength is the length of one of them. The longest and the shortest come first: loss by length must not pass for
// loss of all.
func (w *wrapConn) moreLength(i int) int {
	switch {
	case w.varies() && i == 0:
		return w.most
	case w.varies() && i == 1:
		return w.least()
	}
	return w.nextLength()
}

// enoughTime is when each copy has had the time after which it counts as lost, and those that convict, all sent by
// decided, that after which a flow convicts.
func (w *wrapConn) enoughTime(turn verdict.Turn, decided time.Time) time.Time {
	last := time.Now().Add(w.patience(lostAfter))
	if turn.Follows && w.Env.Lateness.Excluded() {
		return last
	}
	if convicted := decided.Add(w.patience(convictAfter)); convicted.After(last) {
		return convicted
	}
	return last
}
