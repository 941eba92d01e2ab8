package scenario

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Bounds of what is done for attempts that are answered now and then: each is insisted on so often, and so many are given up.
const (
	mostInsisting = 8
	mostAside     = 64
)

// holdTime is how long a queue that may be full is kept so at most: real clients are turned away meanwhile.
const holdTime = 2 * time.Second

// roundGap is between the end of one round and the next: Linux answers a repeated SYN at most every 500 ms
// (tcp_invalid_ratelimit), and a round's end has waited for settle already.
const roundGap = 550*time.Millisecond - settle

// resolve finds out why an attempt got no place; true: the filling may go on.
func (f *filling) resolve(ctx context.Context, a *attempt) (on bool) {
	for i := 0; i < mostInsisting && f.insist(ctx, a) && !f.admit(ctx, a); i++ {
	}
	if a.stage() == queued {
		f.queued = append(f.queued, a)
		return f.ready(ctx)
	}
	f.Opening = a.opening
	f.excess = append(f.excess, a)
	switch {
	case f.seen.Overflowed():
		f.tryOthers(ctx)
	case f.others && f.seen.Aside < mostAside:
		f.seen.Aside++
		return f.ready(ctx)
	}
	return false
}

// ready takes back what a doubt has asked of the spares. One that cannot be told from its older self is replaced.
func (f *filling) ready(ctx context.Context) bool {
	f.spares = slices.DeleteFunc(f.spares, func(s *attempt) bool {
		ready := s.again(ctx)
		if !ready {
			f.release(ctx, s)
		}
		return !ready
	})
	return f.prepare(ctx)
}

// insist asks for the attempt until chance is excluded; true: it was answered after all.
func (f *filling) insist(ctx context.Context, a *attempt) bool {
	ctx, cancel := context.WithTimeout(ctx, holdTime)
	defer cancel()
	switch {
	case len(f.queued) == 0: // nobody to say whether the path is alive
		f.PeerReset = a.stage() == refused
		return !a.stopped() && f.persist(ctx, a)
	case len(f.carriers()) == 0:
		f.PeerReset = true
		return false
	case a.stage() == refused:
		f.seen.Behaviour = verdict.ResetIt
		return f.repeat(ctx, a)
	case a.stage() == halfOpen:
		f.seen.Behaviour = verdict.IgnoredAck
	case a.opening.Answer == conn.NoAnswer:
		f.seen.Behaviour = verdict.IgnoredSyn
	default:
		return false
	}
	return f.doubt(ctx, a)
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

// persistence hides both a connection's stages behind 20 % loss each way once in some hundred thousand times.
const persistence = 6

// carriers are the established connections that can answer beacons.
func (f *filling) carriers() []*attempt {
	return slices.DeleteFunc(slices.Clone(f.queued), func(a *attempt) bool { return !a.alive() })
}

// repeat asks from the same port again whether it is refused.
func (f *filling) repeat(ctx context.Context, a *attempt) (answered bool) {
	for f.seen.Refusals = 1; f.seen.Refusals < verdict.EnoughRefusals && ctx.Err() == nil; f.seen.Refusals++ {
		if a.again(ctx); f.admit(ctx, a) || a.stage() != refused {
			return true
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

// doubt asks in rounds for the attempt and for all spares that are silent with it, until chance is excluded; true: it was
// answered. Only spares count, since their paths are known to be alive: an attempt that stays silent alone shows nothing.
func (f *filling) doubt(ctx context.Context, a *attempt) (answered bool) {
	suspects := f.suspects(ctx, a)
	f.seen.Doubt, f.others = verdict.Doubt{Alpha: f.env.Alpha}, false
	for range verdict.MostRounds {
		size := verdict.RoundFor(len(suspects)-1, f.env.Alpha, f.env.Background.Count().Rate())
		still, lost, ok := f.round(ctx, suspects, size.Beacons)
		if !ok {
			return false
		}
		f.env.Background.Add(verdict.Count{Sent: size.Beacons, Lost: lost})
		if !slices.Contains(still, a) {
			return true
		}
		narrowed := len(still) < len(suspects)
		f.seen.Doubt.Add(verdict.Round{Block: size, BeaconsLost: lost}, !narrowed)
		suspects, f.others = still, f.others || narrowed
		if len(suspects) == 1 || f.seen.Doubt.Convicts() {
			return false
		}
		if a.hear(ctx, time.Now().Add(roundGap)) {
			return true
		}
	}
	return false
}

// suspects are the attempt and the spares, all at the same stage as far as possible.
func (f *filling) suspects(ctx context.Context, a *attempt) []*attempt {
	if a.stage() == halfOpen {
		for _, s := range f.spares {
			f.advance(ctx, s)
		}
	}
	return append([]*attempt{a}, f.spares...)
}

// round asks once for every suspect, among beacons on established connections, and returns those that
// stayed silent and how many beacons were lost. Unless all was sent and heard, ok is false.
func (f *filling) round(ctx context.Context, suspects []*attempt, beacons int) (still []*attempt, lost int, ok bool) {
	carriers, next := f.carriers(), shuffledAttempts(suspects)
	if len(carriers) == 0 {
		return nil, 0, false
	}
	for _, suspect := range shuffled(verdict.Block{Suspects: len(suspects), Beacons: beacons}) {
		if f.env.Pace(ctx, 1) != nil {
			return nil, 0, false
		}
		if suspect {
			next[0].push()
			next = next[1:]
			continue
		}
		carriers[rand.IntN(len(carriers))].beacon()
	}
	until := time.Now().Add(settle + 2*f.rtt)
	for _, s := range suspects {
		if !s.hear(ctx, until) {
			still = append(still, s)
		}
	}
	for _, c := range carriers {
		missing := c.unanswered(ctx, until)
		if lost += missing; missing < 0 {
			return nil, 0, false // copies: nobody knows which were answered
		}
	}
	return still, lost, ctx.Err() == nil
}

func shuffledAttempts(all []*attempt) []*attempt {
	out := slices.Clone(all)
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// tryOthers completes what was answered on other source ports: places there are in other queues, or have been freed.
func (f *filling) tryOthers(ctx context.Context) {
	for _, s := range f.spares {
		if len(f.queued) == f.seen.Cap {
			return
		}
		if s.stage() == silent && f.seen.Behaviour != verdict.ResetIt {
			continue
		}
		if f.admit(ctx, s) {
			f.queued = append(f.queued, s)
			f.seen.More++
		}
	}
	f.spares = slices.DeleteFunc(f.spares, func(s *attempt) bool { return s.stage() == queued })
}
