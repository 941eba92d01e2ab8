package acceptqueue

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Bounds of what is done for attempts that are answered now and then: each is insisted on so often, and so many are
// given up.
const (
	mostInsisting = 8
	mostAside     = 64
)

// holdTime is how long a queue that may be full is kept so at most: real clients are turned away meanwhile.
const holdTime = 2 * time.Second

// resolve finds out why an attempt got no place; true: the filling may go on.
func (f *filling) resolve(ctx context.Context, a *attempt) (on bool) {
	f.held = time.Now().Add(holdTime)
	for range mostInsisting {
		if !f.insist(ctx, a) || f.admit(ctx, a) {
			break
		}
	}
	if a.stage() == queued {
		f.queued = append(f.queued, a)
		return f.recover(ctx)
	}
	f.Opening = a.opening
	f.excess = append(f.excess, a)
	if f.seen.Overflowed() {
		f.tryOthers(ctx)
		return false
	}
	if f.others && f.seen.Aside < mostAside {
		f.seen.Aside++
		return f.recover(ctx)
	}
	return false
}

// recover goes on after a suspicion that was unfounded.
func (f *filling) recover(ctx context.Context) bool {
	f.keepQueued()
	return f.resetSpares(ctx)
}

// keepQueued counts the spares that have got a place as what they are now.
func (f *filling) keepQueued() (n int) {
	for _, s := range f.spares {
		if s.stage() == queued {
			f.queued = append(f.queued, s)
			n++
		}
	}
	f.spares = slices.DeleteFunc(f.spares, func(s *attempt) bool { return s.stage() == queued })
	return n
}

// insist asks for the attempt until chance is excluded; true: it was answered after all.
func (f *filling) insist(ctx context.Context, a *attempt) bool {
	held, cancel := context.WithDeadline(ctx, f.held)
	defer cancel()
	switch {
	case len(f.queued) == 0: // nobody to say whether the path is alive
		f.PeerReset = a.stage() == refused
		return !a.stopped() && f.persist(ctx, a)
	case len(f.carriers()) == 0:
		f.PeerReset = true
		return false
	case a.stage() == refused:
		f.seen.First = verdict.ResetIt
		return f.repeat(held, a)
	case a.stage() == halfOpen:
		f.seen.First = verdict.IgnoredAck
	case a.opening.Answer == conn.NoAnswer:
		f.seen.First = verdict.IgnoredSyn
	default:
		return false
	}
	return f.confirm(held, a)
}

// persist asks often.
func (f *filling) persist(ctx context.Context, a *attempt) (answered bool) {
	for range persistence {
		if f.advance(ctx, a) {
			return true
		}
	}
	return false
}

// persistence is how often admitTries are repeated where no beacon can tell whether the path is alive.
const persistence = 6

// repeat asks from the same port again whether it is refused.
func (f *filling) repeat(ctx context.Context, a *attempt) (answered bool) {
	for f.seen.Refusals = 1; f.seen.Refusals < verdict.EnoughRefusals && ctx.Err() == nil; f.seen.Refusals++ {
		if a.again(ctx); f.admit(ctx, a) || a.stage() != refused {
			return ctx.Err() == nil
		}
	}
	if _, lost, ok := f.round(ctx, nil, aliveBeacons); ok {
		f.seen.Alive = aliveBeacons - lost
	}
	f.PeerReset = !f.seen.Overflowed()
	return false
}

// aliveBeacons ask whether established connections still are.
const aliveBeacons = 8

// tryOthers completes what was answered on other source ports: places there are in other queues, or have been freed.
func (f *filling) tryOthers(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, f.held)
	defer cancel()
	f.seen.UnderWay = f.fate(f.late)
	others := slices.DeleteFunc(slices.Clone(f.spares), func(s *attempt) bool {
		return s.stage() == silent && f.seen.First != verdict.ResetIt
	})
	for _, s := range others[:f.room(len(others))] {
		f.admit(ctx, s)
	}
	f.seen.More = f.keepQueued()
	if f.late != nil && f.late.stage() == queued {
		f.queued = append(f.queued, f.late)
		f.seen.More++
	}
}

// room is how many of n more connections may still be established.
func (f *filling) room(n int) int {
	used := len(f.queued) + 1
	return max(0, min(n, f.seen.Cap-used))
}

// fate names what became of an attempt that came too late.
func (f *filling) fate(a *attempt) string {
	switch {
	case a == nil:
		return ""
	case a.stage() == halfOpen:
		return verdict.IgnoredAck
	case a.stage() == refused:
		return verdict.ResetIt
	}
	return ""
}
