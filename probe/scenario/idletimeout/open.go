package idletimeout

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// open opens all connections, the control first: an application that takes one after the other waits for it first. ok
// is false if too few stand.
func (w *idling) open(ctx context.Context) (ok bool) {
	for range flow.SourcePorts {
		state := &flow.State{Env: w.Env}
		w.control, w.seen.AtOnce = w.establish(ctx, state, 0)
		w.Opening, w.PeerReset, w.Ports = state.Opening, state.PeerReset, w.Ports+state.Ports
		if w.control != nil {
			break
		}
		if w.failed = append(w.failed, state); w.Opening.Answer != conn.StaleAck || ctx.Err() != nil {
			break
		}
	}
	if w.control == nil {
		return false
	}
	if w.seen.Unanswered = !w.answersAtFirst(ctx, w.control); w.seen.Unanswered {
		w.seen.Opened = verdict.LeastIdle // none was tried
		return false
	}
	w.control.begin()
	w.openSilent(ctx)
	w.nextControl, w.seen.Opened = time.Now(), len(w.silent)
	return w.seen.Opened >= verdict.LeastIdle
}

// openSilent opens the idle connections, those of the longest times first: the deadline counts from the first one.
func (w *idling) openSilent(ctx context.Context) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, d := range slices.Backward(ladder(w.seen.Most)) {
		e := *w.Env
		e.Accepting = nil // the control asks for all
		all.Go(func() {
			state := &flow.State{Env: &e}
			m, _ := w.establish(ctx, state, d)
			mu.Lock()
			defer mu.Unlock()
			if m == nil {
				w.failed = append(w.failed, state)
				return
			}
			w.silent = append(w.silent, m)
		})
	}
	all.Wait()
	slices.SortFunc(w.silent, func(a, b *member) int { return a.due().Compare(b.due()) })
}

// establish opens a connection, and returns it once the peer has shown that it holds it and answers keep-alives.
// Otherwise it ends it. atOnce says that the peer had closed it.
func (w *idling) establish(ctx context.Context, state *flow.State, silence time.Duration) (m *member, atOnce bool) {
	c := state.Open(ctx, flow.RandomISS())
	if c == nil {
		return nil, false
	}
	m = &member{Conn: c, state: state, time: silence}
	c.Observer = m.observe
	state.Opening = c.Handshake(ctx, w.Env.Pace)
	established := state.Opening.Answer == conn.SynAck && c.Prove(ctx, w.Env.Pace, w.byte).Established && !m.gone()
	if established && (silence == 0 || w.answersAtFirst(ctx, m)) {
		m.begin()
		return m, false
	}
	if state.Opening.Answer == conn.StaleAck {
		c.ResetOlder(state.Opening.Wrong)
	}
	state.PeerReset = c.Reset() && c.Established()
	atOnce = c.Closed()
	m.end(ctx)
	return nil, atOnce
}

// answersAtFirst reports whether a keep-alive is answered before any silence.
func (w *idling) answersAtFirst(ctx context.Context, m *member) bool {
	answered, n := m.asks(ctx, evidence.Control, tries)
	if answered {
		w.Env.Background.Add(n)
	}
	return answered && !m.gone()
}
