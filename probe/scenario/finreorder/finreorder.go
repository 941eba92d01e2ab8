// Package finreorder asks whether a peer that closes first ignores a FIN that an acknowledgement has overtaken.
package finreorder

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// finFlows is how many flows of FinReorder must agree.
const finFlows = 3

// What one of them tries at most.
const (
	mostClosings = 12 // connections in all,
	mostControls = 3  // that close in order,
	mostResets   = 2  // that the peer resets,
	mostUnopened = 3  // that do not come about
)

// Definition is the scenario FinReorder.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }, Flows: finFlows}

// run asks whether the peer, which closes first, ignores a FIN that the acknowledgement of its own FIN overtook.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	f := &finFlow{State: &flow.State{Env: e}, seen: verdict.Closing{Overtaken: verdict.FinAnswers{}}}
	if e.Spec.FinReorder != nil {
		f.spec = *e.Spec.FinReorder
	}
	if f.control(ctx) {
		f.overtake(ctx)
	}
	o := f.Finish(ctx, func(o *verdict.Observation) verdict.Finding {
		f.seen.Observation = *o
		return verdict.FinReorder(&f.seen)
	})
	if f.seen.Overtaken.Ignored() {
		o.Stall = f.seen.Stall
	}
	return o
}

// finFlow is one flow of FinReorder: connections that the peer closes first, one after the other.
type finFlow struct {
	*flow.State
	spec     plan.FinReorder
	seen     verdict.Closing
	opened   int
	unopened int
	resets   int
}

// control closes in order: unless that is accepted, nothing can be said about the order.
func (f *finFlow) control(ctx context.Context) bool {
	for range mostControls {
		answer, ok := f.closeOne(ctx, (*peerClose).finInOrder)
		if f.seen.Control = answer; answer == verdict.FinAccepted || !ok {
			break
		}
	}
	return f.seen.Control == verdict.FinAccepted
}

// overtake lets an ACK overtake the FIN until that decides.
func (f *finFlow) overtake(ctx context.Context) {
	for !f.seen.Overtaken.Decided() {
		answer, ok := f.closeOne(ctx, (*peerClose).overtaken)
		if !ok {
			return
		}
		f.seen.Overtaken[answer]++
	}
}

// closeOne has the peer close a new connection and closes the own side as told. ok is false where further connections
// would not show more.
func (f *finFlow) closeOne(ctx context.Context, own closing) (a verdict.FinAnswer, ok bool) {
	for !ok && f.more(ctx) {
		if w := f.establish(ctx); w != nil {
			a, ok = w.close(ctx, own)
		}
	}
	f.PeerReset = f.resets >= mostResets
	return a, ok
}

// closing is a way to close the own side of a connection that the peer closed.
type closing func(*peerClose, context.Context) verdict.FinAnswer

// close has the peer close, then closes the own side and ends the connection. ok is false where the peer reset it or
// did not close.
func (w *peerClose) close(ctx context.Context, own closing) (a verdict.FinAnswer, ok bool) {
	defer func() { w.End(ctx, w.conn) }()
	if !w.trigger(ctx) {
		w.noteNotClosed()
		return verdict.FinSilent, false
	}
	if a = own(w, ctx); a == verdict.FinReset {
		w.resets++
		return verdict.FinSilent, false
	}
	return a, true
}

// more reports whether another connection may be opened, and may show something.
func (f *finFlow) more(ctx context.Context) bool {
	return f.Fault == nil && ctx.Err() == nil && !f.seen.NotClosed && !f.seen.Unheard &&
		f.opened < mostClosings && f.unopened < mostUnopened && f.resets < mostResets
}

// noteNotClosed notes why the peer did not close.
func (w *peerClose) noteNotClosed() {
	switch {
	case w.conn.Reset():
		w.resets++
	case !w.conn.Acked().AtLeast(w.own):
		w.seen.Unheard = true
	default:
		w.seen.NotClosed, w.seen.TooLong = true, w.taken > mostAnswer
	}
}

// establish opens a connection; nil where none came about.
func (f *finFlow) establish(ctx context.Context) *peerClose {
	f.opened++
	c := f.Open(ctx, flow.RandomISS())
	if c == nil {
		return nil // a fault, or the deadline
	}
	c.HoldFIN = true
	if f.Opening = c.Handshake(ctx, f.Env.Pace); f.Opening.Answer == conn.SynAck {
		return &peerClose{finFlow: f, conn: c}
	}
	if f.Opening.Answer == conn.StaleAck {
		c.Clear(f.Opening.Wrong)
	}
	f.End(ctx, c)
	f.unopened++
	return nil
}
