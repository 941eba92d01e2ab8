package idletimeout

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

const (
	reopenWait = 500 * time.Millisecond // how long the answer to a SYN on an old connection's ports may take
	mostInVain = 2                      // after so many connections without an answer no more are tried
)

// reopenAll sends SYNs on the ports of the connections that did not survive. They make a device know them anew, and
// show that their paths live. A target that still has the old connection is told to end it.
func (w *idling) reopenAll(ctx context.Context) {
	inVain := 0
	for _, m := range w.silent {
		lost := m.fate == verdict.Silent || m.fate == verdict.ResetOnAsking
		if lost && inVain < mostInVain && ctx.Err() == nil && !w.reopen(ctx, m) {
			inVain++
		}
	}
}

// reopen reports whether something answered. Where a device drops what the target answers from the old connection, the
// RST lets the next SYN open a new one.
func (w *idling) reopen(ctx context.Context, m *member) (answered bool) {
	next, old := m.SendNext(), flow.Remains{Unknown: 1}
	m.received = m.ReceivedReset()
	m.NewIncarnation(flow.RandomISS())
	o := w.syn(ctx, m)
	switch o.Answer {
	case conn.StaleAck:
		w.seen.Holding++
		m.ResetOlder(o.Wrong)
		if o = w.syn(ctx, m); o.Answer == conn.SynAck {
			old = flow.Remains{}
		}
	case conn.NoAnswer:
		m.ResetOlder(next)
		o = w.syn(ctx, m)
	}
	m.state.Outcome.Remains = m.state.Outcome.Remains.Plus(old)
	if answered = o.Answer != conn.NoAnswer; answered {
		w.seen.Reopened++
	}
	return answered
}

// syn sends a SYN, and a second one if the first gets no answer.
func (w *idling) syn(ctx context.Context, m *member) (o conn.Opening) {
	for i := 0; i < 2 && o.Answer == conn.NoAnswer && w.Env.Pace(ctx, 1) == nil; i++ {
		o = m.TrySYN(ctx, evidence.SYN, reopenWait+2*m.RTT)
	}
	return o
}
