package scenario

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
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

// finReorder asks whether the peer, which closes first, ignores a FIN that the acknowledgement of its own FIN overtook.
func finReorder(ctx context.Context, e *Env) Outcome {
	f := &finFlow{trace: &trace{env: e}, seen: verdict.Closing{Overtaken: verdict.FinAnswers{}}}
	if e.Order.FinReorder != nil {
		f.order = *e.Order.FinReorder
	}
	if f.control(ctx) {
		f.overtake(ctx)
	}
	o := f.finish(ctx, func(o *verdict.Observation) verdict.Finding {
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
	*trace
	order    plan.FinReorder
	seen     verdict.Closing
	opened   int
	unopened int
	resets   int
}

// control closes in order: unless that is accepted, nothing can be said about the order.
func (f *finFlow) control(ctx context.Context) bool {
	for range mostControls {
		answer, ok := f.part(ctx, (*farewell).inOrder)
		if f.seen.Control = answer; answer == verdict.FinAccepted || !ok {
			break
		}
	}
	return f.seen.Control == verdict.FinAccepted
}

// overtake lets an ACK overtake the FIN until that decides.
func (f *finFlow) overtake(ctx context.Context) {
	for !f.seen.Overtaken.Decided() {
		answer, ok := f.part(ctx, (*farewell).overtaken)
		if !ok {
			return
		}
		f.seen.Overtaken[answer]++
	}
}

// part has the peer close a new connection and leaves it as told. ok is false where further connections would not
// show more.
func (f *finFlow) part(ctx context.Context, leave leaving) (a verdict.FinAnswer, ok bool) {
	for !ok && f.more(ctx) {
		if w := f.meet(ctx); w != nil {
			a, ok = w.depart(ctx, leave)
		}
	}
	f.PeerReset = f.resets >= mostResets
	return a, ok
}

// leaving is a way to leave a connection that the peer closed.
type leaving func(*farewell, context.Context) verdict.FinAnswer

// depart has the peer close, leaves as told and ends the connection. ok is false where the peer reset it or did not close.
func (w *farewell) depart(ctx context.Context, leave leaving) (a verdict.FinAnswer, ok bool) {
	defer func() { w.end(ctx, w.conn) }()
	if !w.provoke(ctx) {
		w.stuck()
		return verdict.FinSilent, false
	}
	if a = leave(w, ctx); a == verdict.FinReset {
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

// stuck notes why the peer did not close.
func (w *farewell) stuck() {
	switch {
	case w.conn.Reset():
		w.resets++
	case !w.conn.Acked().AtLeast(w.own):
		w.seen.Unheard = true
	default:
		w.seen.NotClosed, w.seen.TooLong = true, w.taken > mostAnswer
	}
}

// meet opens a connection; nil where none came about.
func (f *finFlow) meet(ctx context.Context) *farewell {
	f.opened++
	c := f.open(ctx, randomNumber())
	if c == nil {
		return nil // a fault, or the deadline
	}
	c.HoldFIN = true
	if f.Opening = c.Handshake(ctx, f.env.Pace); f.Opening.Answer == conn.SynAck {
		return &farewell{finFlow: f, conn: c}
	}
	if f.Opening.Answer == conn.StaleAck {
		c.Clear(f.Opening.Wrong)
	}
	f.end(ctx, c)
	f.unopened++
	return nil
}
