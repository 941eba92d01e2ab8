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

// holdTime is how long a queue that may be full is kept full at most: for two rounds and what they leave open. Real
// clients cannot connect during that time.
func (f *filling) holdTime() time.Duration {
	const atLeast, atMost, roundTrips = 2 * time.Second, 15 * time.Second, 6
	return min(atLeast+roundTrips*f.rtt, atMost)
}

// resolve finds out why an attempt did not get into the queue. It returns true if filling may continue.
func (f *filling) resolve(ctx context.Context, a *attempt) (on bool) {
	f.holdUntil = time.Now().Add(f.holdTime())
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
	if f.seen.Rejected() {
		f.tryOthers(ctx)
		f.askEstablished(ctx)
		return false
	}
	if f.othersAnswered && f.seen.SkippedPorts < maxSkippedPorts {
		f.seen.SkippedPorts++
		f.discount(a)
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
		if a.stopped() || f.repeatManyTimes(ctx, a) {
			return !a.stopped()
		}
		f.othersAnswered = f.sparesAnswer(ctx)
		f.seen.SparesSilent = !f.othersAnswered && !f.seen.NoSpares && a.stage() == silent && ctx.Err() == nil
		return false
	case len(f.carriers()) == 0:
		f.PeerReset = true
		return false
	case a.stage() == refused:
		f.seen.First, f.seen.SYNRefused = verdict.ResetIt, a.opening.Answer == conn.ResetAnswer
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

// sparesAnswer reports whether SYNs from ports that were answered before are still answered.
func (f *filling) sparesAnswer(ctx context.Context) (answered bool) {
	f.sendSYNs(ctx, f.spares)
	return slices.ContainsFunc(f.spares, func(s *attempt) bool { return s.stage() != silent })
}

// sendSYNs sends SYNs until they are answered, and does not complete the handshakes.
func (f *filling) sendSYNs(ctx context.Context, all []*attempt) {
	for range establishTries {
		f.sendAndAwait(ctx, slices.DeleteFunc(slices.Clone(all), func(s *attempt) bool { return s.stage() != silent }))
	}
}

// sendAndAwait sends the next segment of each attempt that is not finished, and then waits for the answers.
func (f *filling) sendAndAwait(ctx context.Context, all []*attempt) {
	open := slices.DeleteFunc(slices.Clone(all), func(s *attempt) bool { return s.stage() == queued || s.stopped() })
	for _, s := range open {
		if f.Env.Pace(ctx, 1) != nil {
			return
		}
		s.sendNext()
	}
	until := time.Now().Add(f.patience(0))
	for _, s := range open {
		s.awaitAnswer(ctx, until)
	}
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
	if _, lost, ok := f.round(ctx, nil, nil, aliveBeacons); ok {
		f.seen.BeaconsAnswered = aliveBeacons - lost
	}
	f.PeerReset = !f.seen.Rejected()
	return false
}

// aliveBeacons is the number of beacons that check whether established connections still exist.
const aliveBeacons = 8

// tryOthers completes the connections from other source ports that were answered. They are in other queues, or in
// places that became free.
func (f *filling) tryOthers(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, f.holdUntil)
	defer cancel()
	answered := slices.DeleteFunc(slices.Clone(f.spares), func(s *attempt) bool {
		return s.stage() == silent && f.seen.First != verdict.ResetIt
	})
	answered = answered[:f.room(len(answered))]
	for range 1 + establishTries {
		f.sendAndAwait(ctx, answered)
	}
	if f.askInProgress(ctx); f.underWay != nil && f.underWay.stage() == queued {
		f.queued = append(f.queued, f.underWay)
		f.seen.More++
	}
	f.seen.More += f.keepQueued()
}

// room returns how many of n more connections the cap still allows.
func (f *filling) room(n int) int {
	used := len(f.queued) + 1
	return max(0, min(n, f.seen.Cap-used))
}
