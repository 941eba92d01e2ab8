// Package acceptqueue fills the accept queue of a target's listener until a connection gets no place, and tells a full
// queue from loss.
package acceptqueue

import (
	"context"
	"errors"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// admitTries is how often a SYN, or a byte, is sent before an overflow is suspected; nothing is concluded from it.
const admitTries = 2

// Definition is the scenario AcceptQueue.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }, Flows: 1, Serial: true}

// run opens connections, one after the other, until one gets no place in the listener's queue.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	f := &filling{State: &flow.State{Env: e}, byte: flow.Payloads(e.Spec.Payload)[0](1)[0]}
	if e.Spec.AcceptQueue == nil {
		f.Fault = errors.New("the plan does not say how many connections may be opened")
		return f.judge()
	}
	f.seen.Cap = e.Spec.AcceptQueue.MaxConnections
	if f.prepareSpares(ctx) {
		f.fill(ctx)
	}
	f.Expired = ctx.Err() != nil && !f.seen.Overflowed()
	f.tearDown(ctx)
	if f.seen.Overflowed() {
		f.seen.Freed = f.acceptsAgain(ctx)
		f.seen.Asked = f.seen.Freed || ctx.Err() == nil
	}
	return f.judge()
}

// filling is one queue that is being filled.
type filling struct {
	*flow.State
	seen          verdict.Filling
	byte          byte          // what each connection sends to prove itself
	spares        []*attempt    // ports that were answered before, to confirm an overflow
	queued        []*attempt    // established, the oldest first
	ahead         *attempt      // has its SYN-ACK while the one before it is being completed
	late          *attempt      // was under way when the SYN of the next got no answer
	excess        []*attempt    // got no place
	confirmations int           // so far
	held          time.Time     // until when a queue that may be full is kept so
	others        bool          // in the last confirmation other ports were answered
	rtt           time.Duration // the shortest seen
}

// judge turns what was seen into the flow's outcome.
func (f *filling) judge() flow.Outcome {
	f.seen.Observation = f.Observation
	if !f.seen.Overflowed() {
		f.seen.First = "" // that was a suspicion, unfounded
	}
	f.Outcome.Finding, f.Outcome.Guard = verdict.AcceptQueue(&f.seen), f.Guard
	if f.Outcome.Reason == report.QueueOverflowed || f.Outcome.Reason == report.NotReached {
		f.Outcome.Queue = &report.Queue{Least: f.seen.Least, Most: f.seen.Most(), Behaviour: f.seen.Behaviour(),
			Freed: f.seen.Freed}
	}
	return f.Outcome
}

// fill opens connections until one is too many, or enough. Each is begun before the one before it is completed, as
// those of real clients are: when the queue is full, one handshake is under way.
func (f *filling) fill(ctx context.Context) {
	for len(f.queued) < f.seen.Cap && f.Fault == nil && ctx.Err() == nil && f.step(ctx) {
		f.tend()
	}
	f.seen.Least = len(f.queued) - f.seen.More
}

// step begins one connection and completes the one before it; false: one got no place.
func (f *filling) step(ctx context.Context) bool {
	last, next := f.ahead, f.attempt(ctx)
	if next == nil {
		return false
	}
	if f.advance(ctx, next); next.stage() != halfOpen {
		return f.retrySYN(ctx, next)
	}
	f.ahead = next
	return last == nil || f.enqueue(ctx, last)
}

// retrySYN deals with a SYN that got no SYN-ACK. That may be the doing of the handshake under way, in a listener
// without room for two, so that is completed first.
func (f *filling) retrySYN(ctx context.Context, a *attempt) bool {
	last := f.ahead
	f.ahead = nil
	switch {
	case last == nil:
		return f.enqueue(ctx, a)
	case f.admit(ctx, last):
		f.queued = append(f.queued, last)
		return f.follow(ctx, a)
	}
	f.late = last
	if !f.enqueue(ctx, a) {
		return false
	}
	f.late = nil
	return f.enqueue(ctx, last)
}

// follow asks again for an attempt, now that nothing else is under way.
func (f *filling) follow(ctx context.Context, a *attempt) bool {
	if len(f.queued) < f.seen.Cap {
		if f.advance(ctx, a); a.stage() != halfOpen {
			return f.enqueue(ctx, a)
		}
	}
	f.ahead = a // or not needed any more
	return true
}

// enqueue completes an attempt, whatever that takes; false: it got no place.
func (f *filling) enqueue(ctx context.Context, a *attempt) bool {
	if !f.admit(ctx, a) {
		return f.resolve(ctx, a)
	}
	f.queued = append(f.queued, a)
	return true
}

// tend takes in and acknowledges what peers send meanwhile, so that they need not repeat it.
func (f *filling) tend() {
	for _, a := range f.queued {
		a.Drain(func(wire.Packet) {})
	}
}

// attempt begins one from a fresh port; nil where that fails.
func (f *filling) attempt(ctx context.Context) *attempt {
	c := f.Open(ctx, flow.RandomISS())
	if c == nil {
		return nil
	}
	return newAttempt(c, f.byte)
}

// admit brings an attempt as far as it gets.
func (f *filling) admit(ctx context.Context, a *attempt) bool {
	for a.stage() < queued {
		if !f.advance(ctx, a) {
			break
		}
	}
	f.measure(a)
	return a.stage() == queued
}

// measure keeps the shortest round trip: under loss others hold the peer's wait before it repeats a SYN-ACK.
func (f *filling) measure(a *attempt) {
	if a.RTT > 0 && (f.rtt == 0 || a.RTT < f.rtt) {
		f.rtt = a.RTT
	}
}

// advance asks until the attempt's stage changes.
func (f *filling) advance(ctx context.Context, a *attempt) bool {
	before := a.stage()
	for i := 0; i < admitTries && !a.stopped() && f.Env.Pace(ctx, 1) == nil; i++ {
		a.push()
		if a.hear(ctx, time.Now().Add(f.patience(i))) {
			f.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return a.stage() != before
		}
	}
	return false
}

// patience is how long to wait for an answer at the given repetition.
func (f *filling) patience(repetition int) time.Duration {
	return 4*f.rtt + 50*time.Millisecond<<repetition
}
