// Package acceptqueue fills the accept queue of a target's listener until a connection does not get into it, and
// distinguishes a full queue from packet loss.
package acceptqueue

import (
	"context"
	"errors"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// establishTries is how often a SYN, or a byte, is sent before an overflow is suspected. The suspicion is then tested.
const establishTries = 2

// Definition is the scenario AcceptQueue.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }, Flows: 1, Serial: true}

// run opens connections one after the other until one does not get into the listener's queue.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	f := &filling{State: &flow.State{Env: e}, byte: e.Payloads()[0](1)[0]}
	if e.Spec.AcceptQueue == nil {
		f.Fault = errors.New("the plan does not say how many connections may be opened")
		return f.judge()
	}
	f.seen.Cap = e.Spec.AcceptQueue.MaxConnections
	if f.prepareSpares(ctx) {
		f.fill(ctx)
	}
	f.Expired = ctx.Err() != nil && !f.seen.Rejected()
	f.tearDown(ctx)
	if f.seen.Rejected() {
		f.seen.Freed = f.acceptsAgain(ctx)
		f.seen.Asked = f.seen.Freed || ctx.Err() == nil
	}
	return f.judge()
}

// filling is the state of one flow: it fills one queue.
type filling struct {
	*flow.State
	seen           verdict.Filling
	byte           byte          // the byte that each connection sends to prove that it is established
	spares         []*attempt    // connections from ports that were answered before, to confirm an overflow
	queued         []*attempt    // established connections, the oldest first
	pending        *attempt      // has its SYN-ACK while the previous connection is being completed
	underWay       *attempt      // was in progress when the next SYN got no answer
	rejected       []*attempt    // did not get into the queue
	confirmations  int           // number so far
	holdUntil      time.Time     // a queue that may be full is not filled after this time
	othersAnswered bool          // other ports were answered in the last confirmation
	rtt            time.Duration // shortest measured
}

// judge makes the flow's outcome from the observations.
func (f *filling) judge() flow.Outcome {
	f.seen.Observation = f.Observation
	if !f.seen.Rejected() {
		f.seen.First = "" // the suspicion was not confirmed
	}
	f.Outcome.Finding, f.Outcome.Guard = verdict.AcceptQueue(&f.seen), f.Guard
	if f.Outcome.Reason == report.QueueOverflowed || f.Outcome.Reason == report.NotReached {
		f.Outcome.Queue = &report.Queue{Least: f.seen.Least, Most: f.seen.Most(), Behaviour: f.seen.Behaviour(),
			Freed: f.seen.Freed}
	}
	return f.Outcome
}

// fill opens connections until one does not get into the queue or the cap is reached. It sends each SYN before the
// previous handshake is completed, as real clients do. So one handshake is in progress when the queue gets full.
func (f *filling) fill(ctx context.Context) {
	for len(f.queued) < f.seen.Cap && f.Fault == nil && ctx.Err() == nil && f.step(ctx) {
		f.ackPeerData()
	}
	f.seen.Least = len(f.queued) - f.seen.More
	if f.seen.Least >= f.seen.Cap && f.seen.Ignored.Lost > 0 {
		f.compareLoss(ctx)
	}
}

// step begins one connection and completes the previous one. It returns false if one did not get into the queue.
func (f *filling) step(ctx context.Context) bool {
	f.seen.Overtook = 0
	last, next := f.pending, f.attempt(ctx)
	if next == nil {
		return false
	}
	if f.advance(ctx, next); next.stage() == silent && f.lossy() {
		f.advance(ctx, next)
	}
	if next.stage() != halfOpen {
		return f.retrySYN(ctx, next)
	}
	f.pending = next
	f.seen.Concurrent = f.seen.Concurrent || last != nil
	return last == nil || f.enqueue(ctx, last)
}

// retrySYN handles a SYN without a SYN-ACK. The handshake in progress may be the reason if the listener has room for
// only one. So that one is completed first.
func (f *filling) retrySYN(ctx context.Context, a *attempt) bool {
	last := f.pending
	f.pending = nil
	switch {
	case last == nil:
		return f.enqueue(ctx, a)
	case f.replaceBySpare(ctx, a):
		return f.enqueue(ctx, last)
	case f.establish(ctx, last):
		f.queued = append(f.queued, last)
		f.seen.Overtook = a.rejections()
		return f.retryAlone(ctx, a)
	}
	f.underWay = last
	if !f.enqueue(ctx, a) {
		return false
	}
	f.underWay = nil
	return f.enqueue(ctx, last)
}

// replaceBySpare replaces an attempt that was ignored by a spare that is answered at the same moment. The reason is
// then the attempt's path, and not the handshake in progress. It does nothing where the listener has never had room for
// two.
func (f *filling) replaceBySpare(ctx context.Context, a *attempt) bool {
	if a.stage() != silent || !f.seen.Concurrent || len(f.spares) == 0 || f.seen.SkippedPorts >= maxSkippedPorts {
		return false
	}
	spare := f.spares[0]
	if f.advance(ctx, spare); spare.stage() != halfOpen {
		return false
	}
	f.discount(a)
	f.release(ctx, a)
	f.seen.SkippedPorts++
	f.spares, f.pending = f.spares[1:], spare
	return true
}

// retryAlone repeats the SYN of an attempt now that no other handshake is in progress.
func (f *filling) retryAlone(ctx context.Context, a *attempt) bool {
	if len(f.queued) >= f.seen.Cap {
		f.discount(a)
	} else if f.advance(ctx, a); a.stage() != halfOpen {
		return f.enqueue(ctx, a)
	}
	f.pending = a // or no longer needed
	return true
}

// enqueue completes an attempt, with as many repetitions as needed. It returns false if the connection did not get into
// the queue.
func (f *filling) enqueue(ctx context.Context, a *attempt) bool {
	if !f.establish(ctx, a) {
		return f.resolve(ctx, a)
	}
	f.queued = append(f.queued, a)
	return true
}

// ackPeerData processes and acknowledges the segments that peers sent meanwhile, so that they are not repeated.
func (f *filling) ackPeerData() {
	for _, a := range f.queued {
		a.Drain(func(wire.Packet) {})
	}
}

// attempt opens a connection from a new port. It returns nil on failure.
func (f *filling) attempt(ctx context.Context) *attempt {
	c := f.Open(ctx, flow.RandomISS())
	if c == nil {
		return nil
	}
	return newAttempt(c, f.byte)
}

// establish continues an attempt until it is queued or makes no progress.
func (f *filling) establish(ctx context.Context, a *attempt) bool {
	for a.stage() < queued {
		if !f.advance(ctx, a) {
			break
		}
	}
	f.measure(a)
	return a.stage() == queued
}

// measure keeps the shortest round trip. Under loss a longer one may include the time until the peer repeats its
// SYN-ACK.
func (f *filling) measure(a *attempt) {
	if rtt := a.SureRTT(); rtt > 0 && (f.Outcome.RTT == 0 || rtt < f.Outcome.RTT) {
		f.Outcome.RTT = rtt
	}
	if a.RTT > 0 && (f.rtt == 0 || a.RTT < f.rtt) {
		f.rtt = a.RTT
	}
}

// advance sends and waits until the attempt's stage changes.
func (f *filling) advance(ctx context.Context, a *attempt) bool {
	before := a.stage()
	for i := 0; i < establishTries && !a.stopped() && f.Env.Pace(ctx, 1) == nil; i++ {
		a.sendNext()
		answered := a.awaitAnswer(ctx, time.Now().Add(f.patience(i)))
		f.count(a, answered || ctx.Err() != nil)
		if answered {
			f.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return a.stage() != before
		}
	}
	return false
}

// lossy reports whether the path loses so much that a segment may well be lost twice in a row.
func (f *filling) lossy() bool {
	const much = 0.02
	return f.Env.Background.Count().Rate() > much
}

// count counts a segment that opens a connection.
func (f *filling) count(a *attempt, answered bool) {
	f.seen.Ignored.Sent++
	if !answered {
		a.ignored++
		f.seen.Ignored.Lost++
	}
}

// discount takes back the count of an attempt whose path may be the reason that it was ignored.
func (f *filling) discount(a *attempt) {
	f.seen.Ignored.Sent, f.seen.Ignored.Lost = f.seen.Ignored.Sent-a.ignored, f.seen.Ignored.Lost-a.ignored
}

// patience returns the timeout for an answer to the given repetition.
func (f *filling) patience(repetition int) time.Duration {
	return conn.AnswerTimeout(f.rtt, repetition)
}
