package acceptqueue

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
)

const (
	// sparePorts is how many source ports are held ready to confirm an overflow; each has been answered
	// spareHandshakes times before, so that neither its path nor the use of a port again can be what is silent then.
	sparePorts      = 16
	spareHandshakes = 2
)

// prepareSpares completes the spares. Ports that nothing answers are asked twice before that is believed of the target.
func (f *filling) prepareSpares(ctx context.Context) bool {
	failed := 0
	for len(f.spares) < sparePorts && f.Fault == nil && ctx.Err() == nil {
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
		if failed++; failed >= flow.SilentPorts && len(f.spares) == 0 || failed >= sparePorts {
			break
		}
	}
	return len(f.spares) > 0
}

// answers asks for a connection several times and takes that back before it has a place in the queue.
func (f *filling) answers(ctx context.Context, a *attempt) bool {
	for range spareHandshakes {
		a.opening = a.Handshake(ctx, f.Env.Pace)
		if a.opening.Answer == conn.StaleAck {
			a.Clear(a.opening.Wrong)
		}
		if a.opening.Answer != conn.SynAck {
			return false
		}
		f.measure(a)
		if a.opening.Sent == 1 && f.Outcome.RTT == 0 {
			f.Outcome.RTT = a.RTT
		}
		if f.Env.Pace(ctx, 2) != nil || !a.again(ctx) {
			return false
		}
	}
	return true
}

// resetSpares takes back what confirm has asked of the spares. One that cannot be told from its older self is replaced.
func (f *filling) resetSpares(ctx context.Context) bool {
	f.spares = slices.DeleteFunc(f.spares, func(s *attempt) bool {
		ready := s.again(ctx)
		if !ready {
			f.release(ctx, s)
		}
		return !ready
	})
	return f.prepareSpares(ctx)
}
