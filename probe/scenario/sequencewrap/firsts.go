package sequencewrap

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// firsts asks, in fresh connections from other ports, whether the first segment at 0 is missing in each, and the first
// at an ordinary number in none.
type firsts struct {
	shape
	env     *flow.Env
	payload payload.Source
	length  int
	state   *flow.State
	test    verdict.FirstTest
}

// newFirsts asks with segments like those of w.
func (w *wrapConn) newFirsts() *firsts {
	return &firsts{shape: w.shape, env: w.Env, payload: w.payload, length: w.length, state: w.State}
}

// askFirsts is asked by one flow of a check at a time.
func (w *wrapConn) askFirsts(ctx context.Context) {
	t := w.Env.Firsts.Ask(ctx, func(alpha float64) verdict.FirstTest {
		f := w.newFirsts()
		f.test.InTime, f.test.Alpha = w.conn.AnswerTimeout(0), alpha
		f.run(ctx)
		return f.test
	})
	if t.Significant() {
		w.Firsts = t
	}
}

// enoughFirsts is how many first ones in a row arrive in time where only repeats are lost. A device that loses half
// lets that many pass once in 16.
const enoughFirsts = 4

// firstsArrive reports whether the first one at 0 arrives in time in each of a few fresh connections: all copies of an
// exchange are repeats.
func (w *wrapConn) firstsArrive(ctx context.Context) bool {
	f := w.newFirsts()
	for range enoughFirsts {
		c, ok := f.ask(ctx, seq.At(0), lostAfter)
		if !ok || c.Lost || c.Delay > w.conn.AnswerTimeout(0) {
			return false
		}
	}
	return true
}

// run asks until a first one at 0 comes in time: then it is no rule that it does not.
func (f *firsts) run(ctx context.Context) {
	size, ok := verdict.BlockFor(f.test.Alpha, f.env.Background.Count().Rate(), flow.BeaconsASuspect)
	if !ok {
		return
	}
	left := size.Suspects
	for _, suspect := range flow.Shuffled(size) {
		number, wait := ordinary(), lostAfter
		if suspect {
			number = seq.At(0)
			if left--; left == 0 {
				wait = convictAfter // one has all the time that a late one may take
			}
		}
		c, ok := f.ask(ctx, number, wait)
		if ctx.Err() != nil || f.state.Fault != nil {
			f.test.Copies = nil
			return
		}
		if !ok {
			continue
		}
		c.Suspect = suspect
		f.test.Copies = append(f.test.Copies, c)
		if suspect && !c.Lost && c.Delay <= f.test.InTime {
			f.test.Copies = nil
			return
		}
	}
}

// ask opens a connection whose first suspect is at that number, or crosses it, and waits for that one's answer.
func (f *firsts) ask(ctx context.Context, number seq.Number, patience time.Duration) (c verdict.Copy, ok bool) {
	t := &flow.State{Env: f.env}
	w := newWrapConn(t, f.shape, f.payload, f.length)
	defer func() { f.state.Join(t) }()
	if !w.open(ctx, number) {
		return c, false
	}
	defer w.tearDown(ctx)
	if !w.sendControl(ctx) {
		return c, false
	}
	w.sendFirst(ctx)
	one := w.copies.first()
	if one == nil {
		return c, false
	}
	answered := func(wire.Packet) bool { return one.answered || w.stopped() }
	if !answered(wire.Packet{}) && w.Env.Pace(ctx, 1) == nil {
		w.sendBeacon() // its answer does not wait, as that to new data may
		w.conn.Await(ctx, one.sent.Add(w.patience(patience)), answered)
	}
	c, ok = fates([]*sentCopy{one})[0], !w.stopped() && ctx.Err() == nil
	if c.Lost && number.IsZero() {
		f.repeat(ctx, w)
	}
	w.Delivered = true // what ended it is no matter of the verdict
	return c, ok
}

// repeats is how many copies follow a first one that is lost: as many as there are controls for each suspect. They have
// its length, so that the length does not decide, and come after it had its time, since they cannot be told from it.
const repeats = flow.BeaconsASuspect

// repeat counts the repeats that arrive.
func (f *firsts) repeat(ctx context.Context, w *wrapConn) {
	for range repeats {
		if w.Env.Pace(ctx, 1) != nil || w.stopped() {
			return
		}
		c := w.sendSuspect(w.firstLength())
		f.test.Repeats.Sent++
		arrived := w.conn.Await(ctx, c.sent.Add(w.conn.AnswerTimeout(2)), func(wire.Packet) bool { return c.answered })
		if !arrived {
			f.test.Repeats.Lost++
		}
		if arrived && w.flags.Has(segment.FIN) {
			return // the peer's connection may be over, and answer no more
		}
	}
}
