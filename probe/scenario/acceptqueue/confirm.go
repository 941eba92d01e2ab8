package acceptqueue

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// roundGap is the pause between two rounds. Linux answers a repeated SYN at most every 500 ms (tcp_invalid_ratelimit).
// A round has already waited for flow.Settle at its end.
const roundGap = 550*time.Millisecond - flow.Settle

// confirm repeats, in rounds, the attempt and all spares that are silent as well, until chance is excluded. It returns
// true if the attempt was answered. Only spares are counted because their paths are known to work. If the attempt alone
// stays silent, its path may be the reason.
func (f *filling) confirm(ctx context.Context, a *attempt) (answered bool) {
	f.confirmations++
	f.seen.Test, f.othersAnswered = verdict.NewOverflowTest(f.Env.Alpha, f.confirmations), false
	suspects := f.suspects(ctx, a)
	f.seen.InProgress = verdict.OverflowTest{Alpha: f.seen.Test.Alpha}
	defer func() { f.noteIgnoredSYNs(a, suspects) }()
	for range verdict.MostRounds {
		size := f.seen.Test.Next(len(suspects)-1, f.Env.Background.Count().Rate())
		still, lost, ok := f.round(ctx, suspects, f.inProgress(a), size.Beacons)
		if !ok {
			return false
		}
		if onlyOne := len(still) == 1 && still[0] == a; lost == 0 && !onlyOne {
			f.seen.Ignoring++
		}
		f.Env.Background.Add(verdict.Count{Sent: size.Beacons, Lost: lost})
		if !slices.Contains(still, a) {
			return true
		}
		narrowed := len(still) < len(suspects)
		f.seen.Test.Add(verdict.Round{Block: size, BeaconsLost: lost}, !narrowed)
		suspects, f.othersAnswered = still, f.othersAnswered || narrowed
		if len(suspects) == 1 && !f.seen.NoSpares || f.seen.Test.Significant() {
			return false
		}
		if a.awaitAnswer(ctx, time.Now().Add(roundGap)) {
			return true
		}
	}
	return false
}

// suspects returns the attempt and the spares, as far as possible all at the same stage. If spares may get into the
// queue, there are no more of them than the cap allows.
func (f *filling) suspects(ctx context.Context, a *attempt) []*attempt {
	spares := f.spares
	if a.stage() == halfOpen {
		spares = spares[:f.room(len(spares))]
		f.sendSYNs(ctx, spares)
	}
	return append([]*attempt{a}, spares...)
}

// noteIgnoredSYNs corrects the behaviour towards an attempt whose final ACK is ignored: if the SYNs of all others are
// ignored, a new connection does not get that far.
func (f *filling) noteIgnoredSYNs(a *attempt, suspects []*attempt) {
	others := slices.DeleteFunc(slices.Clone(suspects), func(s *attempt) bool { return s == a })
	answered := func(s *attempt) bool { return s.stage() != silent }
	if f.seen.First == verdict.IgnoredAck && len(others) > 0 && !slices.ContainsFunc(others, answered) {
		f.seen.First = verdict.IgnoredSyn
	}
}

// round repeats each suspect once, and the end of handshakes in progress, mixed with beacons on established
// connections. It returns the suspects that stayed silent and the number of lost beacons. ok is false if not everything
// could be sent or received.
func (f *filling) round(
	ctx context.Context, suspects, inProgress []*attempt, beacons int,
) (still []*attempt, lost int, ok bool) {
	carriers := f.carriers()
	if len(carriers) == 0 {
		return nil, 0, false
	}
	for _, c := range carriers {
		clear(c.echoes.Open) // of a round that did not end
	}
	for _, send := range shuffledSegments(suspects, inProgress, carriers, beacons) {
		if f.Env.Pace(ctx, 1) != nil {
			return nil, 0, false
		}
		send()
	}
	still, lost, ok = f.collectAnswers(ctx, suspects, inProgress, carriers)
	if ok = ok && ctx.Err() == nil; ok {
		f.addInProgress(inProgress, beacons, lost)
		f.seen.Beacons.Sent, f.seen.Beacons.Lost = f.seen.Beacons.Sent+beacons, f.seen.Beacons.Lost+lost
	}
	return still, lost, ok
}

// shuffledSegments returns what sends a round's segments, in uniformly random order.
func shuffledSegments(suspects, inProgress, carriers []*attempt, beacons int) (all []func()) {
	for _, s := range suspects {
		if !slices.Contains(inProgress, s) {
			all = append(all, s.sendNext)
		}
	}
	for i := 0; i < inProgressRepeats && len(inProgress) > 0; i++ {
		all = append(all, inProgress[i%len(inProgress)].sendNext)
	}
	for range beacons {
		all = append(all, carriers[rand.IntN(len(carriers))].beacon)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// collectAnswers collects the answers to a round. If answers were duplicated, the number of answered beacons is
// unknown, and ok is false.
func (f *filling) collectAnswers(
	ctx context.Context, suspects, inProgress, carriers []*attempt,
) (still []*attempt, lost int, ok bool) {
	until := time.Now().Add(flow.Settle + 2*f.rtt)
	for _, s := range suspects {
		if !s.awaitAnswer(ctx, until) {
			still = append(still, s)
		}
	}
	for _, h := range inProgress {
		if h.stage() == halfOpen {
			h.awaitAnswer(ctx, until)
		}
	}
	for _, c := range carriers {
		missing := c.unanswered(ctx, until)
		if lost += missing; missing < 0 {
			return nil, 0, false
		}
	}
	return still, lost, true
}

// carriers returns the established connections that can answer beacons.
func (f *filling) carriers() []*attempt {
	return slices.DeleteFunc(slices.Clone(f.queued), func(a *attempt) bool { return !a.alive() })
}
