package scenario

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// finFlows is how many flows of FinReorder must agree. Each opens mostClosings connections at most, of which so many may
// fail.
const (
	finFlows     = 3
	mostClosings = 12
	mostControls = 3
	mostResets   = 2
	mostUnopened = 3
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

// part has the peer close a new connection and ends it as told. ok is false where further connections would not
// show more.
func (f *finFlow) part(ctx context.Context, leave func(*farewell, context.Context) verdict.FinAnswer) (a verdict.FinAnswer, ok bool) {
	for f.more(ctx) {
		w := f.meet(ctx)
		if w == nil {
			f.unopened++
			continue
		}
		closed := w.provoke(ctx)
		switch {
		case closed:
			a = leave(w, ctx)
		case w.conn.Reset():
			a = verdict.FinReset
		default:
			w.stuck()
		}
		f.end(ctx, w.conn)
		if a != verdict.FinReset && closed {
			return a, true
		}
		if a == verdict.FinReset {
			f.resets++
		}
	}
	f.PeerReset = f.resets >= mostResets
	return a, false
}

// more reports whether another connection may be opened, and may show something.
func (f *finFlow) more(ctx context.Context) bool {
	return f.Fault == nil && ctx.Err() == nil && !f.seen.NotClosed && !f.seen.Unheard &&
		f.opened < mostClosings && f.unopened < mostUnopened && f.resets < mostResets
}

// stuck notes why the peer did not close.
func (w *farewell) stuck() {
	w.seen.Unheard = !w.conn.Acked().AtLeast(w.own)
	w.seen.NotClosed = !w.seen.Unheard
	w.seen.TooLong = w.taken > mostAnswer
}

// meet opens a connection; nil where none came about.
func (f *finFlow) meet(ctx context.Context) *farewell {
	f.opened++
	c := f.open(ctx, randomNumber())
	if c == nil {
		return nil
	}
	c.HoldFIN = true
	if f.Opening = c.Handshake(ctx, f.env.Pace); f.Opening.Answer == conn.SynAck {
		return &farewell{finFlow: f, conn: c}
	}
	if f.Opening.Answer == conn.StaleAck {
		c.Clear(f.Opening.Wrong)
	}
	f.end(ctx, c)
	return nil
}
