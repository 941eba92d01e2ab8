package acceptqueue

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Bounds for attempts that are answered only sometimes: how often each is repeated, and how many are given up.
const (
	maxConfirmations = 8
	maxSkippedPorts  = 64
)

// holdTime is how long a queue that may be full is kept full at most. Real clients cannot connect during that time.
const holdTime = 2 * time.Second

// resolve finds out why an attempt did not get into the queue. It returns true if filling may continue.
func (f *filling) resolve(ctx context.Context, a *attempt) (on bool) {
	f.holdUntil = time.Now().Add(holdTime)
	for range maxConfirmations {
		if !f.repeatUntilCertain(ctx, a) || f.establish(ctx, a) {
			break
		}
	}
	if a.stage() == queued {
		f.queued = append(f.queued, a)
		return f.resume(ctx)
	}
	f.Opening = a.opening
	f.rejected = append(f.rejected, a)
	if f.seen.Overflowed() {
		f.tryOthers(ctx)
		return false
	}
	if f.othersAnswered && f.seen.SkippedPorts < maxSkippedPorts {
		f.seen.SkippedPorts++
		return f.resume(ctx)
	}
	return false
}

// resume continues after a suspicion that was not confirmed.
func (f *filling) resume(ctx context.Context) bool {
	f.keepQueued()
	return f.resetSpares(ctx)
}

// keepQueued moves spares that got into the queue to the queued connections. It returns how many.
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

// repeatUntilCertain repeats the attempt until chance is excluded. It returns true if the attempt was answered.
func (f *filling) repeatUntilCertain(ctx context.Context, a *attempt) bool {
	limited, cancel := context.WithDeadline(ctx, f.holdUntil)
	defer cancel()
	switch {
	case len(f.queued) == 0: // no established connection can show whether the path works
		f.PeerReset = a.stage() == refused
		return !a.stopped() && f.repeatManyTimes(ctx, a)
	case len(f.carriers()) == 0:
		f.PeerReset = true
		return false
	case a.stage() == refused:
		f.seen.First = verdict.ResetIt
		return f.repeat(limited, a)
	case a.stage() == halfOpen:
		f.seen.First = verdict.IgnoredAck
	case a.opening.Answer == conn.NoAnswer:
		f.seen.First = verdict.IgnoredSyn
	default:
		return false
	}
	return f.confirm(limited, a)
}

// repeatManyTimes repeats the attempt many times.
func (f *filling) repeatManyTimes(ctx context.Context, a *attempt) (answered bool) {
	for range maxRepeats {
		if f.advance(ctx, a) {
			return true
		}
	}
	return false
}

// maxRepeats is how many times establishTries attempts are made if no beacon can show whether the path works.
const maxRepeats = 6

// repeat makes the attempt again from the same port to see whether it is refused again.
func (f *filling) repeat(ctx context.Context, a *attempt) (answered bool) {
	for f.seen.Refusals = 1; f.seen.Refusals < verdict.EnoughRefusals && ctx.Err() == nil; f.seen.Refusals++ {
		if a.reopen(ctx); f.establish(ctx, a) || a.stage() != refused {
			return ctx.Err() == nil
		}
	}
	if _, lost, ok := f.round(ctx, nil, aliveBeacons); ok {
		f.seen.BeaconsAnswered = aliveBeacons - lost
	}
	f.PeerReset = !f.seen.Overflowed()
	return false
}

// aliveBeacons is the number of beacons that check whether established connections still exist.
const aliveBeacons = 8

// tryOthers completes the connections from other source ports that were answered. They are in other queues, or in
// places that became free.
func (f *filling) tryOthers(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, f.holdUntil)
	defer cancel()
	f.seen.UnderWay = f.behaviourTowards(f.underWay)
	answered := slices.DeleteFunc(slices.Clone(f.spares), func(s *attempt) bool {
		return s.stage() == silent && f.seen.First != verdict.ResetIt
	})
	for _, s := range answered[:f.room(len(answered))] {
		f.establish(ctx, s)
	}
	f.seen.More = f.keepQueued()
	if f.underWay != nil && f.underWay.stage() == queued {
		f.queued = append(f.queued, f.underWay)
		f.seen.More++
	}
}

// room returns how many of n more connections the cap still allows.
func (f *filling) room(n int) int {
	used := len(f.queued) + 1
	return max(0, min(n, f.seen.Cap-used))
}

// behaviourTowards returns the behaviour towards an attempt that did not get into the queue.
func (f *filling) behaviourTowards(a *attempt) string {
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
