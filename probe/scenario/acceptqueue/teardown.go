package acceptqueue

import (
	"context"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
)

// concurrentEnds is how many connections are reset at the same time.
const concurrentEnds = 32

// tearDown resets all connections and checks that the peer accepts that.
func (f *filling) tearDown(ctx context.Context) {
	all := slices.Concat(f.queued, f.rejected, f.spares)
	for _, a := range []*attempt{f.pending, f.underWay} {
		if a != nil && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	tokens := make(chan struct{}, concurrentEnds)
	for _, a := range all {
		_ = f.Env.Pace(ctx, 2) // after the end of ctx the segments are sent without pause
		tokens <- struct{}{}
		group.Go(func() {
			end, err := f.Env.EndOne(ctx, a.Conn)
			mu.Lock()
			defer mu.Unlock()
			f.addEnding(a, end, err)
			<-tokens
		})
	}
	group.Wait()
	f.keepEvidence()
}

// release ends an attempt that is no longer needed.
func (f *filling) release(ctx context.Context, a *attempt) {
	end, err := f.Env.EndOne(ctx, a.Conn)
	f.addEnding(a, end, err)
	f.Outcome.Keep(a.Conn)
}

// addEnding adds the result of ending a connection to the outcome.
func (f *filling) addEnding(a *attempt, end conn.Ending, err error) {
	for _, fault := range []error{err, a.Fault()} {
		if f.Fault == nil {
			f.Fault = fault
		}
	}
	if a.opening.Answer == conn.SynAck {
		f.Outcome.Remains = f.Outcome.Remains.Plus(flow.RemainsOf(end))
	}
	f.Guard = f.Guard.Plus(end.Check)
}

// keepEvidence keeps the evidence of a few connections: the last ones that did not get into the queue, and the first
// and last that did.
func (f *filling) keepEvidence() {
	few := f.rejected[max(0, len(f.rejected)-1):]
	if f.underWay != nil {
		few = append(few, f.underWay)
	}
	if n := len(f.queued); n > 0 {
		few = append(few, f.queued[0], f.queued[n-1])
	}
	for i, a := range few {
		if !slices.Contains(few[:i], a) {
			f.Outcome.Keep(a.Conn)
		}
	}
}

// acceptsAgain reports whether a new connection can be established after all others were reset.
func (f *filling) acceptsAgain(ctx context.Context) bool {
	c := f.Open(ctx, flow.RandomISS())
	if c == nil {
		return false
	}
	a := &attempt{Conn: c, opening: c.Handshake(ctx, f.Env.Pace)}
	established := a.opening.Answer == conn.SynAck && c.Prove(ctx, f.Env.Pace, f.byte).Established
	f.release(ctx, a)
	return established
}
