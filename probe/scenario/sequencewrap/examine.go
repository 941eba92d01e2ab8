package sequencewrap

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// examine asks why the first suspect was missing although one arrived in the end: a flow does not acquit by a late
// copy. It asks whether copies come later than others, or are lost more often, or by their length; then, where nothing
// explains it, askFirsts asks about the first of each connection. Each is a test of its own on fresh segments in random
// order.
func (w *wrapConn) examine(ctx context.Context) {
	if !w.FirstLost {
		return
	}
	w.Unasked = true
	defer func() {
		if first := w.copies.first(); first.answered {
			w.FirstLate, w.FirstUnasked = first.delay, first.unasked
		}
	}()
	if !w.varies() || !w.fill(ctx) {
		w.AckHeld = w.copies.ackHeld()
		return
	}
	worse := w.suspectsFareWorse(ctx)
	late := fates(w.copies.all).Late() > 0
	if !late {
		w.bySize(ctx) // which some lengths lost and others arrived suggest
	}
	if worse && !w.Sizes.Significant() {
		w.compare(ctx)
		if w.Exchange.Lossy() && w.copies.first().answered && w.firstsArrive(ctx) {
			w.Repeats, w.Exchange = w.Exchange, verdict.Exchange{}
		}
	}
	if late && !w.Exchange.Delayed() {
		w.bySize(ctx)
	}
}

// fill has all of the suspect's bytes acknowledged, in segments that do not begin at its number: every copy is a
// duplicate then, which the peer names at once (RFC 2883).
//
// Before that a beacon draws at once what the peer has: its acknowledgement of the last copy may be delayed, and would
// then come only with that of the other bytes.
func (w *wrapConn) fill(ctx context.Context) bool {
	if w.Env.Pace(ctx, 1) == nil {
		sent := w.sendBeacon()
		w.conn.Await(ctx, sent.Add(w.conn.AnswerTimeout(0)), w.answered)
	}
	for i := 0; i < healTries && !w.stopped() && !w.copies.ackHeld() && w.Env.Pace(ctx, 1) == nil; i++ {
		if from := w.conn.Acked(); !from.AtLeast(w.end) {
			w.copies.filled = true
			for at := from; !at.AtLeast(w.end); at = at.Add(w.conn.LongestSegment()) {
				w.copies.ends = append(w.copies.ends, at)
			}
			w.copies.ends = append(w.copies.ends, w.end)
			w.sendPieces(from, w.suspect[from.Sub(w.at):])
		}
		if w.await(ctx, time.Now().Add(w.conn.AnswerTimeout(i)), w.end) {
			w.copies.filled = true
			return true
		}
	}
	return false
}

const (
	// comparisons is how many exchanges are held, the next one with twice as many copies, while chance is not excluded.
	comparisons = 3
	// enoughInTime is after how many suspects that all came in time an exchange is given up.
	enoughInTime = 5
	// enoughToCompare is after how many suspects an exchange is given up that shows no difference.
	enoughToCompare = 8
)

// compare sends copies of the suspect and of the control, which differ in the number alone, in random order.
func (w *wrapConn) compare(ctx context.Context) {
	alpha := w.Env.Alpha * min(verdict.DelayedShare, verdict.LossyShare) / comparisons // of each of the two tests
	size, ok := verdict.BlockFor(alpha/2, w.controlLoss(), flow.BeaconsASuspect)
	for round := 0; ok && round < comparisons && ctx.Err() == nil; round++ {
		e := verdict.Exchange{InTime: w.inTime(), Alpha: alpha}
		if e.Copies, ok = w.exchange(ctx, w.trials(size), e.InTime, soundAfterAll); ok {
			w.Exchange = e
			ok = !e.Delayed() && !e.Lossy() && undecided(e)
		}
		size.Suspects, size.Beacons = 2*size.Suspects, 2*size.Beacons
	}
}

// aFew are sent before a block, to see whether it is worth it. Nothing is concluded from them, so they cost no error.
var aFew = verdict.Block{Suspects: 4, Beacons: 4}

// suspectsFareWorse reports whether of a few copies two suspects or more, and more than controls, are missing or late.
func (w *wrapConn) suspectsFareWorse(ctx context.Context) bool {
	w.settle(ctx, w.copies.all, 0) // what is held back behind a suspect is no measure
	var sent []*sentCopy
	for _, t := range w.trials(aFew) {
		if w.Env.Pace(ctx, 1) != nil || w.stopped() {
			return false
		}
		c := w.sendTrial(t)
		sent = append(sent, c)
		w.conn.Await(ctx, c.sent.Add(w.apart()), func(wire.Packet) bool { return c.answered || w.stopped() })
	}
	found := fates(sent)
	bad := found.Count(true).Lost + found.Late()
	return bad > 1 && bad > found.Count(false).Lost
}

// controlLoss is the share of this connection's controls that were lost: one that came late was not.
func (w *wrapConn) controlLoss() float64 { return fates(w.copies.all).Count(false).Rate() }

// undecided reports whether more copies may tell: the error of it costs packets only.
func undecided(e verdict.Exchange) bool { return min(e.LossP(), e.DelayP()) < 0.1 }

// inTime is how long a copy may take that is not late: as a healthy path answers, or some times what controls take.
func (w *wrapConn) inTime() time.Duration {
	return max(w.promptness(), 3*fates(w.copies.all).Usual())
}

// soundAfterAll reports whether enough suspects arrived, all of them in time, or as many as do by chance.
func soundAfterAll(e verdict.Exchange) bool {
	n, others := e.Count(true), e.Count(false)
	if n.Sent < enoughInTime || others.Sent < enoughInTime {
		return false
	}
	alike := e.DelayP() > 0.3 && e.LossP() > 0.3
	return alike && (n.Lost == 0 && e.Late() == 0 || n.Sent >= enoughToCompare)
}

// trial is one copy to be sent.
type trial struct {
	suspect bool
	length  int
	stamped bool // with the timestamps option
}

// trials are a block's, in random order. Which lengths are those of suspects is chance.
func (w *wrapConn) trials(size verdict.Block) (out []trial) {
	for _, suspect := range flow.Shuffled(size) {
		out = append(out, trial{suspect: suspect, length: w.nextLength()})
	}
	return out
}

// exchange sends copies one by one and waits for the answers. Each waits for its own for a while before the next is
// sent, so that a device that holds everything back behind a suspect holds back less of what comes later. ok is false
// if it was given up, which futile says.
func (w *wrapConn) exchange(ctx context.Context, order []trial, inTime time.Duration,
	futile func(verdict.Exchange) bool,
) (verdict.Copies, bool) {
	var sent []*sentCopy
	for _, t := range order {
		if w.Env.Pace(ctx, 1) != nil || w.stopped() {
			return nil, false
		}
		c := w.sendTrial(t)
		sent = append(sent, c)
		w.conn.Await(ctx, c.sent.Add(w.apart()), func(wire.Packet) bool { return c.answered || w.stopped() })
		if futile(verdict.Exchange{Copies: fates(sent), InTime: inTime}) {
			return nil, false
		}
	}
	w.settle(ctx, sent, lostAfter)
	if fates(sent).LossP() < 0.1 {
		w.settle(ctx, sent, convictAfter)
	}
	return fates(sent), ctx.Err() == nil && !w.stopped()
}

func (w *wrapConn) sendTrial(t trial) *sentCopy {
	if t.suspect {
		return w.sendCopy(t)
	}
	return w.sendLike(t)
}

// maxApart is the longest that a copy waits for the answer to the one before.
const maxApart = 500 * time.Millisecond

// apart is how long a copy waits for the answer to the one before.
func (w *wrapConn) apart() time.Duration {
	return min(max(w.conn.AnswerTimeout(0), w.copies.longest*5/4), max(maxApart, w.conn.AnswerTimeout(0)))
}

// settle waits until all are answered, or have had their time; with 0, only as long as copies are apart.
func (w *wrapConn) settle(ctx context.Context, sent []*sentCopy, least time.Duration) {
	open := func(wire.Packet) bool {
		for _, c := range sent {
			if !c.answered {
				return w.stopped()
			}
		}
		return true
	}
	if len(sent) == 0 || open(wire.Packet{}) {
		return
	}
	wait := w.patience(least)
	if least == 0 {
		wait = w.apart()
	}
	w.conn.Await(ctx, sent[len(sent)-1].sent.Add(wait), open)
}
