package idletimeout

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// step is how long what arrives may wait before it is processed. Its time is that of its arrival all the same.
const step = 200 * time.Millisecond

// The control is asked more often than the shortest silence that may be too long: twice in one that was survived.
const (
	leastPause = 500 * time.Millisecond
	mostPause  = 30 * time.Second
)

// watch attends to all connections until the next one is due. It returns false before if one of them was ended, or if
// the control answers no more.
func (w *idling) watch(ctx context.Context, next *member) bool {
	for ctx.Err() == nil {
		for _, m := range w.silent {
			m.attend(ctx)
		}
		if slices.ContainsFunc(w.silent, (*member).gone) || w.control.gone() {
			return false
		}
		now := time.Now()
		switch {
		case !now.Before(next.due()):
			return true
		case !now.Before(w.nextControl):
			if !w.askControl(ctx) {
				return false
			}
		default:
			w.rest(ctx, next.due())
		}
	}
	return false
}

// rest waits for a step.
func (w *idling) rest(ctx context.Context, until time.Time) {
	for _, t := range []time.Time{time.Now().Add(step), w.nextControl} {
		if t.Before(until) {
			until = t
		}
	}
	w.control.Await(ctx, until, func(wire.Packet) bool { return w.control.gone() })
}

// askControl asks the connection that is not idle, and reports whether it answers.
func (w *idling) askControl(ctx context.Context) bool {
	answered, n := w.control.asks(ctx, evidence.Control, tries)
	w.nextControl = time.Now().Add(min(max(w.held/2, leastPause), mostPause))
	if answered {
		w.lastControl = w.control.last
		w.Env.Background.Add(n)
		return true
	}
	w.seen.ControlLost = !w.control.gone() && ctx.Err() == nil
	return false
}

// Where a connection was ended while it was silent, others may follow. The control, if it is to be, is ended in this
// time too.
const (
	followers     = 2 * time.Second
	followerShare = 5 // of the silence
	mostFollowers = 5 * time.Second
)

// afterEnd looks what becomes of the others once a connection was ended. Those that are left have been silent for
// longer, and are asked.
func (w *idling) afterEnd(ctx context.Context) {
	if w.seen.ControlLost || ctx.Err() != nil {
		return
	}
	wait := followers
	for _, m := range w.silent {
		if m.gone() {
			wait = min(max(wait, m.idle/followerShare), mostFollowers)
		}
	}
	w.attendAll(ctx, time.Now().Add(wait))
	if w.control.gone() || !w.askControl(ctx) {
		return
	}
	w.seen.Outlived = true
	for _, m := range w.silent {
		w.seen.Outlived = w.seen.Outlived && (!m.gone() || w.lastControl.Sub(m.endedAt) >= followers/2)
	}
	w.askAll(ctx)
	w.Isolated = w.established(ctx)
}

// attendAll attends to all connections until that time, whatever becomes of them, and asks the control.
func (w *idling) attendAll(ctx context.Context, until time.Time) {
	for ctx.Err() == nil && time.Now().Before(until) {
		for _, m := range w.silent {
			m.attend(ctx)
		}
		if !w.control.gone() && !time.Now().Before(w.nextControl) && !w.askControl(ctx) {
			return
		}
		w.control.Await(ctx, time.Now().Add(step), func(wire.Packet) bool { return false })
	}
}

// unknown are the connections whose fate is not known.
func (w *idling) unknown() (all []*member) {
	for _, m := range w.silent {
		if m.fate == verdict.NotAsked {
			all = append(all, m)
		}
	}
	return all
}
