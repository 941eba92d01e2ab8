package scenario

import (
	"context"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// leavers end connections at the same time.
const leavers = 32

// giveUp resets all connections and sees the peer let go.
func (f *filling) giveUp(ctx context.Context) {
	all := slices.Concat(f.queued, f.excess, f.spares)
	for _, a := range []*attempt{f.ahead, f.late} {
		if a != nil && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	tokens := make(chan struct{}, leavers)
	for _, a := range all {
		_ = f.env.Pace(ctx, 2) // even without a pace, once ctx has ended
		tokens <- struct{}{}
		group.Go(func() {
			end, err := a.End(ctx)
			mu.Lock()
			defer mu.Unlock()
			f.account(a, end, err)
			<-tokens
		})
	}
	group.Wait()
	f.tell()
}

// release ends one attempt that is not needed any more.
func (f *filling) release(ctx context.Context, a *attempt) {
	end, err := a.End(ctx)
	f.account(a, end, err)
	f.outcome.keep(a.Conn)
}

// account adds up what a connection's end showed.
func (f *filling) account(a *attempt, end conn.Ending, err error) {
	for _, fault := range []error{err, a.Fault()} {
		if f.Fault == nil {
			f.Fault = fault
		}
	}
	if !end.Confirmed && a.opening.Answer == conn.SynAck {
		f.outcome.Leaked++
	}
	f.Guard = f.Guard.Plus(end.Check)
}

// tell keeps the evidence of a few: those that got no place last, the first and the last that did.
func (f *filling) tell() {
	few := f.excess[max(0, len(f.excess)-1):]
	if f.late != nil {
		few = append(few, f.late)
	}
	if n := len(f.queued); n > 0 {
		few = append(few, f.queued[0], f.queued[n-1])
	}
	for i, a := range few {
		if !slices.Contains(few[:i], a) {
			f.outcome.keep(a.Conn)
		}
	}
}

// fresh reports whether a connection comes about now that all others have been given up.
func (f *filling) fresh(ctx context.Context) bool {
	c := f.open(ctx, randomNumber())
	if c == nil {
		return false
	}
	a := &attempt{Conn: c, opening: c.Handshake(ctx, f.env.Pace)}
	established := a.opening.Answer == conn.SynAck && c.Prove(ctx, f.env.Pace, f.byte).Established
	f.release(ctx, a)
	return established
}
