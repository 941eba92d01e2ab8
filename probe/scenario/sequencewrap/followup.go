package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// followUp asks what a check cannot ask while its flows, and kernel connections, send segments at 0: whether one alone
// arrives, and whether the timestamps option decides, which kernel connections carry and crafted ones do not.
func (s shape) followUp(ctx context.Context, e *flow.Env, lost bool) (verdict.FollowUp, flow.Outcome) {
	t := &flow.State{Env: e}
	w := newWrapConn(t, s, e.Payloads()[0], leastControl)
	f := &followUp{wrapConn: w}
	if w.open(ctx, seq.At(0)) {
		if w.sendControl(ctx) {
			f.ask(ctx, lost)
		}
		w.tearDown(ctx)
	}
	return f.found, t.Finish(ctx, verdict.SequenceWrap)
}

type followUp struct {
	*wrapConn
	found verdict.FollowUp
}

func (f *followUp) ask(ctx context.Context, lost bool) {
	if lost && f.alone(ctx) {
		return
	}
	if f.varies() && !f.conn.OldBytesDropped() {
		f.byOptions(ctx, !lost)
	}
}

const (
	// aloneAfter is how long nothing is sent at 0 before one that comes alone: a device may allow so many in a second.
	aloneAfter = 1200 * time.Millisecond
	// aloneTries is how many are lost alone before nothing is made of it, where the path loses others too.
	aloneTries = 2
	// enoughAlone is how many are sent where one arrives.
	enoughAlone = 3
)

// alone sends suspects that come alone, and reports whether one arrived.
func (f *followUp) alone(ctx context.Context) bool {
	n, last, tries := &f.found.Alone, time.Now(), 1
	if f.Env.Background.Count().Lost > 0 {
		tries = aloneTries
	}
	for n.Lost < n.Sent || n.Sent < tries {
		f.conn.Await(ctx, last.Add(aloneAfter), func(wire.Packet) bool { return f.stopped() })
		if ctx.Err() != nil || f.stopped() || f.Env.Pace(ctx, 1) != nil {
			break
		}
		c := f.sendSuspect(f.nextLength())
		arrived := func(wire.Packet) bool { return c.answered || !f.copies.filled && f.delivered() || f.stopped() }
		f.conn.Await(ctx, c.sent.Add(f.conn.AnswerTimeout(aloneTries)), arrived)
		if ctx.Err() != nil {
			break
		}
		n.Sent, last = n.Sent+1, c.sent
		if f.stopped() || !arrived(wire.Packet{}) {
			n.Lost++
		}
		if n.Sent == enoughAlone || n.Lost < n.Sent && (!f.varies() || !f.copies.filled && !f.fill(ctx)) {
			break
		}
	}
	f.Delivered = f.delivered()
	return n.Lost < n.Sent
}

// stampedTries is how often a copy is sent that seems lost by its options.
const stampedTries = 3

// byOptions tests whether copies with the timestamps option are lost, or those without it, where the other kind is
// seen to arrive.
func (f *followUp) byOptions(ctx context.Context, stampedLost bool) {
	if !f.oneArrives(ctx, !stampedLost) || f.oneArrives(ctx, stampedLost) || !f.fill(ctx) {
		return
	}
	alpha := f.Env.Alpha * verdict.OptionsShare
	n, ok := verdict.EvenBlockFor(alpha, f.controlLoss())
	if !ok {
		return
	}
	contradicted := func(e verdict.Exchange) bool {
		c := verdict.OptionsTest{Copies: e.Copies, Stamped: stampedLost}.Lost()
		return c.Sent-c.Lost > 1
	}
	if found, ok := f.exchange(ctx, f.optionTrials(n, stampedLost), f.inTime(), contradicted); ok {
		f.found.Options = verdict.OptionsTest{Copies: found, Stamped: stampedLost, Alpha: alpha}
	}
}

// oneArrives reports whether one of a few copies of that kind is answered.
func (f *followUp) oneArrives(ctx context.Context, stamped bool) bool {
	for i := 0; i < stampedTries && !f.stopped() && f.Env.Pace(ctx, 1) == nil; i++ {
		c := f.sendCopy(trial{suspect: true, length: f.nextLength(), stamped: stamped})
		answered := func(wire.Packet) bool { return c.answered || f.stopped() }
		if f.conn.Await(ctx, c.sent.Add(f.conn.AnswerTimeout(i)), answered) && c.answered {
			f.Delivered = true
			return true
		}
	}
	return false
}

// optionTrials are as many suspects and controls each of the kind that is lost, and suspects of the other kind, in
// random order.
func (f *followUp) optionTrials(n int, stamped bool) (out []trial) {
	for range n {
		out = append(out, trial{suspect: true, length: f.nextLength(), stamped: stamped},
			trial{suspect: false, length: f.nextLength(), stamped: stamped},
			trial{suspect: true, length: f.nextLength(), stamped: !stamped})
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
