package scenario

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// beaconsASuspect is how many beacons of a block come with each suspect: they cost the peer least.
const beaconsASuspect = 3

// Sandwiches of one flow are this far apart, with as much again of jitter.
const sandwichSpacing = 5 * time.Millisecond

// suspicious repeats the suspect between beacons until it is delivered, or until losing it so often in
// a row calls for a confirmation.
func (w *wrap) suspicious(ctx context.Context) bool {
	for range mostSandwiches {
		if pause(ctx, sandwichSpacing) != nil || w.env.Pace(ctx, 3) != nil {
			return false
		}
		void := w.sandwich(ctx)
		if w.Delivered = w.delivered(); w.Delivered || w.stopped() {
			return false
		}
		if !void && verdict.Suspicious(w.Sandwich.Lost, w.env.Background.P0()) {
			return true
		}
	}
	return false
}

// sandwich sends beacon, suspect, beacon. Only if both beacons are answered has the suspect been lost;
// everything else is void, and silence above all.
func (w *wrap) sandwich(ctx context.Context) (void bool) {
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
	w.env.Background.Add(verdict.Count{Sent: 2, Lost: 2 - answers})
	if answers < 2 {
		return true
	}
	w.Sandwich.Sent++
	w.Sandwich.Lost++
	return false
}

// mostBlocks is how many blocks are sent, each larger as the loss of beacons is known better, while none decides.
const mostBlocks = 3

// confirm sends randomised blocks until one decides. Each spends its part of alpha. Their beacons are like the suspect in
// length and flags, so that loss by these falls on both.
func (w *wrap) confirm(ctx context.Context, alpha float64) {
	block := trials{suspect: func() { w.sendSuspect() }, beacon: func() bool { w.sendLike(); return false }, answered: w.answered, delivered: w.delivered}
	for range mostBlocks {
		size, ok := verdict.BlockFor(alpha/mostBlocks, w.env.Background.Count().Rate(), beaconsASuspect)
		if !ok {
			return
		}
		clear(w.echoes.open) // late answers to earlier beacons must not pass for answers to the block's
		lost, ok := block.run(ctx, w.conn, w.env.Pace, size)
		w.Delivered = w.delivered()
		if !ok || w.stopped() || !w.stillMissing(ctx) {
			return
		}
		w.env.Background.Add(verdict.Count{Sent: size.Beacons, Lost: lost})
		w.Blocks = append(w.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha / mostBlocks})
		if w.Convicted() {
			return
		}
	}
}

// stillMissing asks once more, after everything that was sent, what the peer has: an acknowledgement
// may have been delayed, or lost.
func (w *wrap) stillMissing(ctx context.Context) bool {
	for i := range controlTries {
		if w.env.Pace(ctx, 1) != nil {
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
func (w *wrap) sendBeacon() time.Time {
	i := w.echoes.sent % len(w.control)
	at := w.start().Add(i)
	w.echoes.expect(at, 1)
	return w.conn.SendBeacon(at, w.control[i])
}

// sendLike repeats most of the control, each time from another byte on, as a beacon like the suspect. One that
// carries nothing is most like a beacon of one byte.
func (w *wrap) sendLike() {
	if len(w.suspect) == 0 {
		w.sendBeacon()
		return
	}
	i := w.echoes.sent % (len(w.control) / 4)
	at := w.start().Add(i)
	w.echoes.expect(at, len(w.control)-i)
	w.send("beacon", at, w.control[i:], w.flags&^segment.FIN)
}

// answered reports whether p answers a beacon that has not been answered before.
func (w *wrap) answered(p wire.Packet) bool { return w.echoes.take(w.conn, p) }

// echoes tells which acknowledgements answer a beacon: those that name its bytes as a duplicate. A peer
// that names none is believed on every bare acknowledgement.
type echoes struct {
	sent  int
	open  map[segment.Block]int
	named bool
}

func newEchoes() echoes { return echoes{open: map[segment.Block]int{}} }

// expect notes that so many bytes from that number on have been sent again.
func (e *echoes) expect(at seq.Number, n int) {
	e.sent++
	e.open[segment.Block{Left: at, Right: at.Add(n)}]++
}

// take reports whether p answers a beacon that has not been answered before.
func (e *echoes) take(c *conn.Conn, p wire.Packet) bool {
	bare, block := c.Answers(p)
	if !bare {
		return false
	}
	if block == (segment.Block{}) {
		return !e.named
	}
	e.named = true
	if e.open[block] == 0 {
		return false
	}
	e.open[block]--
	return true
}

// pause waits for the given time and up to as much again.
func pause(ctx context.Context, least time.Duration) error { return wait(ctx, least+rand.N(least)) }
