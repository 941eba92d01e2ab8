// Package finreorder tests whether a peer that closes first ignores a FIN that arrives after the ACK of the peer's own
// FIN.
package finreorder

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// finFlows is how many flows must have the same result.
const finFlows = 3

// Bounds of one flow.
const (
	maxClosings = 12 // connections in total
	maxResets   = 2  // connections that the peer resets
	maxUnopened = 3  // connections that could not be opened
)

// Definition is the scenario FinReorder.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }, Flows: finFlows}

// run tests whether the peer, which closes first, ignores a FIN that the acknowledgement of its own FIN has overtaken.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	f := &finFlow{State: &flow.State{Env: e}, seen: verdict.Closing{Overtaken: verdict.FinAnswers{}}}
	if e.Spec.FinReorder != nil {
		f.spec = *e.Spec.FinReorder
	}
	if f.control(ctx) {
		f.overtake(ctx)
	}
	o := f.Finish(ctx, func(o *verdict.Observation) verdict.Finding {
		o.Resets = f.seen.Resets
		f.seen.Observation, f.seen.ResetOf = *o, verdict.Count{Sent: f.opened, Lost: f.resets}
		return verdict.FinReorder(&f.seen)
	})
	if f.seen.Overtaken.Ignored() {
		o.Stall = f.seen.Stall
	}
	return o
}

// finFlow is one flow. It opens connections one after the other, and the peer closes each of them first.
type finFlow struct {
	*flow.State
	spec     plan.FinReorder
	seen     verdict.Closing
	opened   int
	unopened int
	resets   int // connections that the peer reset where that is no answer

	overtaking bool // an ACK overtakes the FIN
}

// overtake closes connections with a FIN that an ACK has overtaken, until the result is clear. After each that the peer
// resets, it closes one in order again: an application that resets now and then does so there too.
func (f *finFlow) overtake(ctx context.Context) {
	for !f.seen.Decided() {
		answer, ok := f.closeOvertaken(ctx)
		if !ok {
			return
		}
		f.seen.Overtaken[answer]++
		if answer == verdict.FinReset && !f.controlAgain(ctx) {
			return
		}
	}
}

// closeOvertaken is closeOne with a FIN that an ACK has overtaken. An RST is an answer to that.
func (f *finFlow) closeOvertaken(ctx context.Context) (a verdict.FinAnswer, ok bool) {
	f.overtaking = true
	defer func() { f.overtaking = false }()
	return f.closeOne(ctx, (*peerClose).overtaken)
}

// controlAgain closes one more connection in order.
func (f *finFlow) controlAgain(ctx context.Context) (ok bool) {
	answer, ok := f.closeOne(ctx, (*peerClose).finInOrder)
	f.seen.Again.Sent++
	if answer != verdict.FinAccepted {
		f.seen.Again.Lost++
	}
	return ok
}

// closeOne opens a connection, makes the peer close it, and then closes this side in the given way. ok is false if
// further connections would not show more.
func (f *finFlow) closeOne(ctx context.Context, own closing) (a verdict.FinAnswer, ok bool) {
	for !ok && f.more(ctx) {
		if w := f.establish(ctx); w != nil {
			a, ok = w.close(ctx, own)
		}
	}
	f.PeerReset = f.resets >= maxResets
	return a, ok
}

// closing closes this side of a connection that the peer has closed.
type closing func(*peerClose, context.Context) verdict.FinAnswer

// close makes the peer close, then closes this side and ends the connection. ok is false if the peer reset the
// connection, where that is no answer, or did not close.
func (w *peerClose) close(ctx context.Context, own closing) (a verdict.FinAnswer, ok bool) {
	defer func() {
		w.End(ctx, w.conn)
		if r := w.conn.ReceivedReset(); r != nil && a == verdict.FinReset {
			w.seen.Resets.Received = append(w.seen.Resets.Received, r)
		}
	}()
	if !w.trigger(ctx) {
		w.noteNotClosed()
		return verdict.FinSilent, false
	}
	if a = own(w, ctx); a == verdict.FinReset && !w.overtaking {
		w.resets++
		return verdict.FinSilent, false
	}
	return a, true
}

// more reports whether another connection is allowed and can be useful.
func (f *finFlow) more(ctx context.Context) bool {
	return f.Fault == nil && ctx.Err() == nil && !f.seen.NotClosed && !f.seen.Unheard &&
		f.opened < maxClosings && f.unopened < maxUnopened && f.resets < maxResets
}

// noteNotClosed records why the peer did not close.
func (w *peerClose) noteNotClosed() {
	switch {
	case w.conn.Reset():
		w.resets++
	case !w.conn.Acked().AtLeast(w.own):
		w.seen.Unheard = true
	default:
		w.seen.NotClosed, w.seen.TooLong = true, w.taken > maxAnswer
		w.seen.Received, w.seen.Gap = w.received, w.furthest.After(w.conn.Received())
	}
}

// establish opens a connection. It returns nil on failure.
func (f *finFlow) establish(ctx context.Context) *peerClose {
	f.opened++
	c := f.Open(ctx, flow.RandomISS())
	if c == nil {
		return nil // an error, or the deadline
	}
	c.HoldFIN = true
	if f.Opening = c.Handshake(ctx, f.Env.Pace); f.Opening.Answer == conn.SynAck {
		return &peerClose{finFlow: f, conn: c}
	}
	if f.Opening.Answer == conn.StaleAck {
		c.ResetOlder(f.Opening.Wrong)
	}
	f.End(ctx, c)
	f.unopened++
	return nil
}
