package scenario

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

const (
	// spareCount is how many source ports are held ready to confirm an overflow; each has been answered
	// rehearsals times before, so that neither its path nor the use of a port again can be what is silent then.
	spareCount = 16
	rehearsals = 2
	// admitTries is how often a SYN, or a byte, is sent before the doubt; nothing is concluded from it.
	admitTries = 2
	// leavers end connections at the same time.
	leavers = 32
)

// acceptQueue opens connections, one at a time, until one gets no place in the listener's queue.
func acceptQueue(ctx context.Context, e *Env) Outcome {
	f := &filling{trace: &trace{env: e}, byte: payloads(e.Order.Payload)[0](1)[0]}
	if e.Order.AcceptQueue == nil {
		f.Fault = errors.New("the plan does not say how many connections may be opened")
		return f.judge()
	}
	f.seen.Cap = e.Order.AcceptQueue.MaxConnections
	if f.prepare(ctx) {
		f.fill(ctx)
	}
	f.Expired = ctx.Err() != nil && !f.seen.Overflowed()
	f.leave(ctx)
	if f.seen.Overflowed() {
		f.seen.Freed = f.fresh(ctx)
	}
	return f.judge()
}

// filling is one queue that is being filled.
type filling struct {
	*trace
	seen   verdict.Filling
	byte   byte // what each connection sends to prove itself
	spares []*attempt
	queued []*attempt    // established, the oldest first
	excess []*attempt    // got no place
	others bool          // while the last got no place, other ports were answered
	rtt    time.Duration // the longest seen
}

// judge turns what was seen into the flow's outcome.
func (f *filling) judge() Outcome {
	f.seen.Observation = f.Observation
	f.outcome.Finding, f.outcome.Guard = verdict.AcceptQueue(&f.seen), f.Guard
	if f.outcome.Reason == report.QueueOverflowed || f.outcome.Reason == report.NotReached {
		f.outcome.Queue = &report.Queue{Least: f.seen.Least, Most: f.seen.Most(), Behaviour: f.seen.Behaviour, Freed: f.seen.Freed}
	}
	return f.outcome
}

// attempt begins one from a fresh port; nil where that fails.
func (f *filling) attempt(ctx context.Context) *attempt {
	c := f.open(ctx, randomNumber())
	if c == nil {
		return nil
	}
	return newAttempt(c, f.byte)
}

// prepare finds the spares. Ports that nothing answers are asked twice before that is believed of the target.
func (f *filling) prepare(ctx context.Context) bool {
	failed := 0
	for len(f.spares) < spareCount && f.Fault == nil && ctx.Err() == nil {
		a := f.attempt(ctx)
		if a == nil {
			return false
		}
		if f.rehearse(ctx, a) {
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

// rehearse asks for a connection and takes that back before it has a place in the queue.
func (f *filling) rehearse(ctx context.Context, a *attempt) bool {
	for range rehearsals {
		a.opening = a.Handshake(ctx, f.env.Pace)
		if a.opening.Answer != conn.SynAck {
			return false
		}
		f.rtt = max(f.rtt, a.RTT)
		if a.opening.Sent == 1 && f.outcome.RTT == 0 {
			f.outcome.RTT = a.RTT
		}
		if f.env.Pace(ctx, 2) != nil || !a.again(ctx) {
			return false
		}
	}
	return true
}

// fill opens connections until one is too many, or enough.
func (f *filling) fill(ctx context.Context) {
	for len(f.queued) < f.seen.Cap && f.Fault == nil && ctx.Err() == nil {
		a := f.attempt(ctx)
		if a == nil {
			break
		}
		if f.admit(ctx, a) {
			f.queued = append(f.queued, a)
			f.tend()
			continue
		}
		f.Opening = a.opening
		f.seen.Least = len(f.queued)
		if !f.resolve(ctx, a) {
			return
		}
	}
	f.seen.Least = len(f.queued)
}

// tend takes in and acknowledges what peers send meanwhile, so that they need not repeat it.
func (f *filling) tend() {
	for _, a := range f.queued {
		a.Drain(func(wire.Packet) {})
	}
}

// admit brings an attempt as far as it gets.
func (f *filling) admit(ctx context.Context, a *attempt) bool {
	for a.stage() < queued && f.advance(ctx, a) {
	}
	f.rtt = max(f.rtt, a.RTT)
	return a.stage() == queued
}

// advance asks until the attempt's stage changes.
func (f *filling) advance(ctx context.Context, a *attempt) bool {
	before := a.stage()
	for i := 0; i < admitTries && !a.stopped() && f.env.Pace(ctx, 1) == nil; i++ {
		a.push()
		if a.hear(ctx, time.Now().Add(f.patience(i))) {
			f.env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			return a.stage() != before
		}
	}
	return false
}

// patience is how long to wait for an answer at the given repetition.
func (f *filling) patience(repetition int) time.Duration {
	return 4*f.rtt + 50*time.Millisecond<<repetition
}

// leave resets everything and sees the peer let go.
func (f *filling) leave(ctx context.Context) {
	all := append(append(f.spares, f.excess...), f.queued...)
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

// tell keeps the evidence of a few: the one that got no place, the first and the last that did.
func (f *filling) tell() {
	few := f.excess
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

// release ends one attempt that is not needed.
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
