package acceptqueue

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

const (
	// sparePorts is how many source ports are prepared to confirm an overflow. Each has been answered spareHandshakes
	// times. If such a port is silent later, neither its path nor the reuse of the port can be the reason.
	sparePorts      = 16
	sparePortsLossy = 24 // where the path loses much
	sparePortsFar   = 8  // where an answer takes longRTT: each port takes four round trips to prepare
	longRTT         = 200 * time.Millisecond
	spareHandshakes = 2
	// silentInARow is how many ports without an answer, one after the other, end the preparation. Further ones would take
	// three seconds each.
	silentInARow = 4
)

// prepareSpares prepares the missing spares. If ports get no answer, other ports are tried before the target counts as
// silent. A target that answers and confirms no reset has none, and is filled without.
func (f *filling) prepareSpares(ctx context.Context) bool {
	failed, silent, unanswered := 0, 0, false
	if f.seen.NoSpares {
		return true
	}
	for len(f.spares) < f.sparesWanted() && f.Fault == nil && ctx.Err() == nil {
		a := f.attempt(ctx)
		if a == nil {
			return false
		}
		if f.answers(ctx, a) {
			f.spares = append(f.spares, a)
			f.seen.Before += spareHandshakes
			silent = 0
			continue
		}
		silent++
		f.Opening = a.opening
		unanswered = unanswered || a.opening.Answer != conn.SynAck
		f.release(ctx, a)
		if failed++; failed >= flow.SilentPorts && len(f.spares) == 0 || failed >= sparePorts || silent >= silentInARow {
			break
		}
	}
	f.seen.NoSpares = f.seen.Before == 0 && failed > 0 && !unanswered && ctx.Err() == nil
	return len(f.spares) > 0 || f.seen.NoSpares
}

func (f *filling) sparesWanted() int {
	switch {
	case f.lossy():
		return sparePortsLossy
	case f.rtt >= longRTT:
		return sparePortsFar
	}
	return sparePorts
}

// answers connects several times and resets each connection before it gets into the queue. It returns whether all were
// answered.
func (f *filling) answers(ctx context.Context, a *attempt) bool {
	for range spareHandshakes {
		a.opening = a.Handshake(ctx, f.Env.Pace)
		if a.opening.Answer == conn.StaleAck {
			a.ResetOlder(a.opening.Wrong)
		}
		if a.opening.Answer != conn.SynAck {
			return false
		}
		syns := a.SYNs()
		if f.Env.Pace(ctx, 2) != nil || !a.reopen(ctx) {
			return false
		}
		f.measure(a)
		sent, lost := syns.Count(a.SureRTT())
		f.Env.Background.Add(verdict.Count{Sent: sent, Lost: lost})
	}
	return true
}

// resetSpares resets the connections that confirm opened from the spares. A spare whose reset is not confirmed is
// replaced.
func (f *filling) resetSpares(ctx context.Context) bool {
	f.spares = slices.DeleteFunc(f.spares, func(s *attempt) bool {
		ready := s.reopen(ctx)
		if !ready {
			f.release(ctx, s)
		}
		return !ready
	})
	return f.prepareSpares(ctx)
}
