package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Sandwiches (beacon, suspect, beacon) of one flow are this far apart, and up to as much again at random.
const sandwichSpacing = 5 * time.Millisecond

// suspicious sends the suspect between beacons until it is delivered, or until it was lost so often in a row that a
// confirmation is justified.
func (w *wrapConn) suspicious(ctx context.Context) bool {
	for range maxSandwiches {
		if pause(ctx, sandwichSpacing) != nil || w.Env.Pace(ctx, 3) != nil {
			return false
		}
		void := w.sandwich(ctx)
		if w.Delivered = w.delivered(); w.Delivered || w.stopped() {
			return false
		}
		if !void && verdict.Suspicious(w.Sandwich.Lost, w.Env.Background.P0()) {
			return true
		}
	}
	return false
}

// sandwich sends beacon, suspect, beacon. The suspect counts as lost only if both beacons are answered. Everything else
// is void, silence included.
func (w *wrapConn) sandwich(ctx context.Context) (void bool) {
	start := w.sendBeacon()
	w.sendSuspect()
	width := w.sendBeacon().Sub(start)
	answers := 0
	w.conn.Await(ctx, time.Now().Add(w.conn.AnswerTimeout(0)), func(p wire.Packet) bool {
		if w.answered(p) {
			answers++
			w.FirstLost = w.FirstLost || p.Segment.Ack == w.at // the suspect, which was sent before this beacon, is missing
		}
		return answers == 2 || w.delivered() || w.stopped()
	})
	if ctx.Err() != nil || w.delivered() || width > sandwichWidth {
		return true
	}
	w.Env.Background.Add(verdict.Count{Sent: 2, Lost: 2 - answers})
	if answers < 2 {
		return true
	}
	w.Sandwich.Sent++
	w.Sandwich.Lost++
	return false
}

// maxBlocks is the largest number of blocks. Each is larger than the previous one if more beacons were lost.
const maxBlocks = 3

// confirm sends randomised blocks until one is conclusive. Each spends its part of alpha. Their beacons have the
// suspect's length and flags, so loss by these affects both alike.
func (w *wrapConn) confirm(ctx context.Context, alpha float64) {
	block := flow.Trials{Suspect: func() { w.sendSuspect() }, Beacon: func() bool { w.sendLike(); return false },
		Answered: w.answered, Delivered: w.delivered}
	for range maxBlocks {
		size, ok := verdict.BlockFor(alpha/maxBlocks, w.Env.Background.Count().Rate(), flow.BeaconsASuspect)
		if !ok {
			return
		}
		clear(w.echoes.Open) // late answers to earlier beacons must not count as answers to the block's
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

// stillMissing checks once more, after everything else was sent, which data the peer has. An acknowledgement may have
// been delayed or lost.
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

// sendBeacon sends one byte of the control again, each time another byte.
func (w *wrapConn) sendBeacon() time.Time {
	i := w.echoes.Sent % len(w.control)
	at := w.start().Add(i)
	w.echoes.Expect(at, 1)
	return w.conn.SendBeacon(at, w.control[i])
}

// sendLike sends most of the control again as a beacon with the suspect's flags and about its length, each time from
// another byte on. If the suspect has no data, the beacon has one byte.
func (w *wrapConn) sendLike() {
	if len(w.suspect) == 0 {
		w.sendBeacon()
		return
	}
	i := w.echoes.Sent % (len(w.control) / 4)
	at := w.start().Add(i)
	w.echoes.Expect(at, len(w.control)-i)
	w.send(evidence.Beacon, at, w.control[i:], w.flags&^segment.FIN)
}

// answered reports whether p answers a beacon that was not answered before.
func (w *wrapConn) answered(p wire.Packet) bool { return w.echoes.Take(w.conn, p) }

// pause waits for the given time and up to as much again.
func pause(ctx context.Context, least time.Duration) error { return wait(ctx, least+rand.N(least)) }

// wait returns after that time, or with an error when the context ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
