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

// Sandwiches of one flow are this far apart, with as much again of jitter.
const sandwichSpacing = 5 * time.Millisecond

// suspicious repeats the suspect between beacons until it is delivered, or until losing it so often in
// a row calls for a confirmation.
func (w *wrapConn) suspicious(ctx context.Context) bool {
	for range mostSandwiches {
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

// sandwich sends beacon, suspect, beacon. Only if both beacons are answered has the suspect been lost;
// everything else is void, and silence above all.
func (w *wrapConn) sandwich(ctx context.Context) (void bool) {
	start := w.sendBeacon()
	w.sendSuspect()
	width := w.sendBeacon().Sub(start)
	answers := 0
	w.conn.Await(ctx, time.Now().Add(w.conn.Patience(0)), func(p wire.Packet) bool {
		if w.answered(p) {
			answers++
			w.FirstLost = w.FirstLost || p.Segment.Ack == w.at // what was sent before this beacon is missing
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

// mostBlocks is how many blocks are sent, each larger as the loss of beacons is known better, while none decides.
const mostBlocks = 3

// confirm sends randomised blocks until one decides. Each spends its part of alpha. Their beacons are like the suspect
// in length and flags, so that loss by these falls on both.
func (w *wrapConn) confirm(ctx context.Context, alpha float64) {
	block := flow.Trials{Suspect: func() { w.sendSuspect() }, Beacon: func() bool { w.sendLike(); return false },
		Answered: w.answered, Delivered: w.delivered}
	for range mostBlocks {
		size, ok := verdict.BlockFor(alpha/mostBlocks, w.Env.Background.Count().Rate(), flow.BeaconsASuspect)
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
		w.Blocks = append(w.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha / mostBlocks})
		if w.Convicted() {
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
		if w.conn.Await(ctx, sent.Add(w.conn.Patience(i)), w.answered) {
			w.Delivered = w.delivered()
			return !w.Delivered
		}
	}
	return false
}

// sendBeacon repeats one byte of the control, each time another.
func (w *wrapConn) sendBeacon() time.Time {
	i := w.echoes.Sent % len(w.control)
	at := w.start().Add(i)
	w.echoes.Expect(at, 1)
	return w.conn.SendBeacon(at, w.control[i])
}

// sendLike repeats most of the control, each time from another byte on, as a beacon like the suspect. One that
// carries nothing is most like a beacon of one byte.
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

// answered reports whether p answers a beacon that has not been answered before.
func (w *wrapConn) answered(p wire.Packet) bool { return w.echoes.Take(w.conn, p) }

// pause waits for the given time and up to as much again.
func pause(ctx context.Context, least time.Duration) error { return wait(ctx, least+rand.N(least)) }

// wait returns after that time, or when the context ends.
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
