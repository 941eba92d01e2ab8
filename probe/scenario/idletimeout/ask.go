package idletimeout

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// ask asks a connection whose time is over, and reports whether it survived. The control is asked meanwhile, as it must
// not be idle either.
func (w *idling) ask(ctx context.Context, m *member) bool {
	for i := 0; i < tries && !m.gone() && m.Fault() == nil && w.Env.Pace(ctx, 1) == nil; i++ {
		sent := m.question(evidence.Suspect)
		if m.await(ctx, sent, i) {
			w.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			w.survived(m)
			return true
		}
		if !w.controlIfDue(ctx) {
			break
		}
	}
	return false
}

// controlIfDue asks the control if it is time to, and reports whether it is alive as far as that is known.
func (w *idling) controlIfDue(ctx context.Context) bool {
	return !w.control.gone() && (time.Now().Before(w.nextControl) || w.askControl(ctx))
}

func (w *idling) survived(m *member) {
	m.fate = verdict.Held
	w.held = max(w.held, m.idle)
}

// askAll asks the connections whose fate is not known, all at once and several times, as long as one is silent.
func (w *idling) askAll(ctx context.Context) {
	for i := 0; i < tries && len(w.unknown()) > 0 && w.controlIfDue(ctx); i++ {
		w.askOnce(ctx, i)
	}
}

// askOnce asks each of them once.
func (w *idling) askOnce(ctx context.Context, repetition int) {
	asked := w.unknown()
	var last time.Time
	for _, m := range asked {
		if w.Env.Pace(ctx, 1) != nil {
			return
		}
		last = m.question(evidence.Suspect)
	}
	for _, m := range asked {
		m.Collect(ctx, last.Add(m.AnswerTimeout(repetition)), func(wire.Packet) bool { return m.answered || m.gone() })
		if m.answered && m.fate == verdict.NotAsked {
			w.survived(m)
		}
	}
}
