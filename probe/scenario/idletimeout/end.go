package idletimeout

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// close ends all connections at once, and keeps what was seen.
func (w *idling) close(ctx context.Context) {
	all := slices.Concat(w.silent, w.over)
	// the evidence of the worst is kept
	slices.SortStableFunc(all, func(a, b *member) int { return cmp.Compare(b.fate, a.fate) })
	for _, m := range all { // before this side's end, which draws RSTs
		w.seen.Connections = append(w.seen.Connections, m.result())
	}
	var ends sync.WaitGroup
	for _, m := range all {
		ends.Go(func() { m.end(ctx) })
	}
	ends.Wait()
	if w.control != nil {
		w.keepControl()
		w.control.end(ctx)
		w.keepPath()
		all = append([]*member{w.control}, all...)
	}
	for _, m := range all {
		w.Join(m.state)
	}
	for _, s := range w.failed {
		w.Join(s)
	}
	w.seen.Observation = w.Observation
	w.Delivered = w.seen.Decided()
}

// keepControl keeps what became of the control.
func (w *idling) keepControl() {
	c := w.control
	if !c.gone() {
		return
	}
	w.seen.Control = verdict.IdleConnection{Fate: verdict.EndedByFIN, Idle: c.endedAt.Sub(c.begun)}
	if c.Reset() {
		w.seen.Control.Fate, w.seen.Control.Reset = verdict.EndedByRST, c.ReceivedReset()
	}
}

// keepPath keeps by which port and next hop the control went, and its round trip.
func (w *idling) keepPath() {
	o := w.control.state.Outcome
	w.Outcome.Port, w.Outcome.Hop, w.Outcome.RTT = o.Port, o.Hop, o.RTT
}
