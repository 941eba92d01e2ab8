// Package idletimeout tests after how much silence something between here and the target forgets a connection, and
// how: whether later segments vanish, or who ends it by RST or FIN.
package idletimeout

import (
	"context"
	"errors"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Definition is the scenario IdleTimeout.
var Definition = flow.Definition{Flow: func(string) flow.Func { return run }, Flows: 1}

// run opens connections at once, lets each be silent for its own time, and asks it then. Another one is asked all
// along.
func run(ctx context.Context, e *flow.Env) flow.Outcome {
	w := &idling{State: &flow.State{Env: e}, byte: e.Payloads()[0](1)[0]}
	if e.Spec.IdleTimeout == nil {
		w.Fault = errors.New("the plan does not say how long connections are silent")
		return w.judge(ctx)
	}
	w.seen.Most = time.Duration(e.Spec.IdleTimeout.MaxSeconds) * time.Second
	if w.open(ctx) {
		w.climb(ctx)
	}
	w.close(ctx)
	return w.judge(ctx)
}

// idling is the state of the flow.
type idling struct {
	*flow.State
	byte        byte // completes a handshake that a bare ACK does not
	control     *member
	silent      []*member     // the connections whose fate is not known yet, the first to be asked first
	over        []*member     // the others
	failed      []*flow.State // of those that were not established
	held        time.Duration // the longest silence that one survived
	nextControl time.Time     // when the control is asked next
	lastControl time.Time     // when it answered last
	seen        verdict.Idling
}

// climb asks one connection after the other, each after its time. It ends with the first that does not survive: all
// that are left have been silent for as long, and are asked too.
func (w *idling) climb(ctx context.Context) {
	for len(w.silent) > 0 && ctx.Err() == nil {
		m := w.silent[0]
		if !w.watch(ctx, m) {
			w.afterEnd(ctx)
			return
		}
		if !w.ask(ctx, m) {
			w.examine(ctx)
			return
		}
		w.silent, w.over = w.silent[1:], append(w.over, m)
		m.end(ctx) // it would wait for nothing
	}
}

func (w *idling) judge(ctx context.Context) flow.Outcome {
	return w.Finish(ctx, func(o *verdict.Observation) verdict.Finding {
		w.seen.Observation = *o
		return verdict.IdleTimeout(&w.seen)
	})
}
