package scenario

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

const (
	// spareCount is how many source ports are held ready to confirm an overflow; each has been answered
	// rehearsals times before, so that neither its path nor the use of a port again can be what is silent then.
	spareCount = 16
	rehearsals = 2
)

// rehearse completes the spares. Ports that nothing answers are asked twice before that is believed of the target.
func (f *filling) rehearse(ctx context.Context) bool {
	failed := 0
	for len(f.spares) < spareCount && f.Fault == nil && ctx.Err() == nil {
		a := f.attempt(ctx)
		if a == nil {
			return false
		}
		if f.answers(ctx, a) {
			f.spares = append(f.spares, a)
			continue
		}
		f.Opening = a.opening
		f.release(ctx, a)
		if failed++; failed >= doubtedPorts && len(f.spares) == 0 || failed >= spareCount {
			break
		}
	}
	return len(f.spares) > 0
}

// answers asks for a connection several times and takes that back before it has a place in the queue.
func (f *filling) answers(ctx context.Context, a *attempt) bool {
	for range rehearsals {
		a.opening = a.Handshake(ctx, f.env.Pace)
		if a.opening.Answer == conn.StaleAck {
			a.Clear(a.opening.Wrong)
		}
		if a.opening.Answer != conn.SynAck {
			return false
		}
		f.measure(a)
		if a.opening.Sent == 1 && f.outcome.RTT == 0 {
			f.outcome.RTT = a.RTT
		}
		if f.env.Pace(ctx, 2) != nil || !a.again(ctx) {
			return false
		}
	}
	return true
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
	return f.rehearse(ctx)
}
