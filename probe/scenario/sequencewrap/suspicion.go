package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Sandwiches (beacon, suspect, beacon) of one flow are this far apart, and up to as much again at random.
const sandwichSpacing = 5 * time.Millisecond

// suspicious sends the suspect between beacons until it is delivered, or until it was missing so often in a row that a
// confirmation is justified.
func (w *wrapConn) suspicious(ctx context.Context) bool {
	if w.conn.OldBytesDropped() {
		w.useBeyond()
		w.beyond.assumed = true
	}
	for i := range maxSandwiches {
		if pause(ctx, sandwichSpacing) != nil || w.Env.Pace(ctx, 3) != nil {
			return false
		}
		w.conn.Drain(func(wire.Packet) {})
		void, heard := true, true
		if !w.delivered() {
			void, heard = w.sandwich(ctx)
		}
		if w.Delivered = w.delivered(); w.Delivered || w.stopped() {
			w.FirstLost = w.FirstLost || i > 0 || w.copies.firstWasLate(w.promptness())
			return false
		}
		if !heard {
			return false
		}
		if !void && verdict.Suspicious(w.Sandwich.Lost, w.Env.Background.P0()) {
			return true
		}
	}
	return false
}

// sandwich sends beacon, suspect, beacon. The suspect counts as missing only if both beacons are answered. Everything
// else is void, silence included. heard is false if nothing has shown that the path lives for too long.
func (w *wrapConn) sandwich(ctx context.Context) (void, heard bool) {
	start := w.sendBeacon()
	w.sendSuspect(w.nextLength())
	width := w.sendBeacon().Sub(start)
	answers := 0
	w.conn.Await(ctx, time.Now().Add(w.silence()), func(p wire.Packet) bool {
		for more := true; more && w.answered(p); more = w.beyond.used {
			answers++
			w.FirstLost = w.FirstLost || p.Segment.Ack == w.at // the suspect, which was sent before this beacon, is missing
		}
		return answers == 2 || w.delivered() || w.stopped()
	})
	if ctx.Err() != nil || w.delivered() || width > sandwichWidth {
		return true, true
	}
	heard = w.heard(answers)
	if answers > 0 || w.beyond.answers {
		w.Env.Background.Add(verdict.Count{Sent: 2, Lost: 2 - answers})
	}
	if answers < 2 {
		return true, heard
	}
	w.Sandwich.Sent++
	w.Sandwich.Lost++
	return false, true
}

// sendBeacon sends one byte of the control again, each time another byte, or a new one beyond the suspect.
func (w *wrapConn) sendBeacon() time.Time {
	if w.beyond.used {
		return w.sendAhead(1, segment.ACK).sent
	}
	i := w.echoes.Sent % len(w.control)
	at := w.start().Add(i)
	w.echoes.Expect(at, 1)
	c := w.copies.add(&sentCopy{block: segment.SACKBlock{Left: at, Right: at.Add(1)}, length: 1, sent: time.Now()})
	c.sent = w.conn.SendBeacon(at, w.control[i])
	return c.sent
}

// sendLike sends so many bytes of the control again as a beacon like the suspect. If the suspect has no data, the
// beacon has one byte.
func (w *wrapConn) sendLike(t trial) *sentCopy {
	length := t.length
	if length == 0 {
		w.sendBeacon()
		return w.copies.all[len(w.copies.all)-1]
	}
	if w.beyond.used {
		return w.sendAhead(length, w.flags&^segment.FIN)
	}
	at, from := w.unused(length)
	w.echoes.Expect(at, length)
	c := w.copies.add(&sentCopy{block: segment.SACKBlock{Left: at, Right: at.Add(length)}, length: length,
		stamped: t.stamped, sent: time.Now()})
	s := w.step(evidence.Beacon, at, w.control[from:from+length], w.flags&^segment.FIN)
	s.Stamped = t.stamped
	c.sent = w.conn.Send(s)
	return c
}

// placesTried is how many places are drawn for a beacon until it is one that no open beacon has.
const placesTried = 8

// unused is a place within the control for a beacon of that length, another one than those not answered yet have, where
// there is one.
func (w *wrapConn) unused(length int) (at seq.Number, from int) {
	for range placesTried {
		from = rand.IntN(len(w.control) - length + 1)
		at = w.start().Add(from)
		if w.echoes.Open[segment.SACKBlock{Left: at, Right: at.Add(length)}] == 0 {
			break
		}
	}
	return at, from
}

// answered reports whether p answers a beacon that was not answered before.
func (w *wrapConn) answered(p wire.Packet) bool { return w.echoes.Take(w.conn, p) }

// pause waits for the given time and up to as much again.
func pause(ctx context.Context, least time.Duration) error { return wait(ctx, least+rand.N(least)) }

// wait returns after that time, or with an error when the context ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
