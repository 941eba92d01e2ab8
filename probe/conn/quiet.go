package conn

import (
	"errors"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// A flow stays registered with the guard for a while after its end. Otherwise the kernel would answer a late duplicate
// with RST.
const (
	lateSegments = time.Second
	// lastSegments is the shorter time that applies when other flows wait for a slot and at the end of a run. It is still
	// longer than the time by which networks reorder packets.
	lastSegments = 100 * time.Millisecond
	// forgetEvery is the least time between two sweeps.
	forgetEvery = 50 * time.Millisecond
)

// quietFlow is a flow that has ended and is still registered with the guard.
type quietFlow struct {
	key   guard.Flow
	ended time.Time
}

// retire stops the delivery of a flow's packets. The flow stays registered with the guard for a while.
func (s *Stack) retire(f *flow) {
	f.inbox.discard()
	for _, b := range f.books {
		b.ended(f.key.Local.Port(), f.key.Remote)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flows, f.key)
	s.quiet = append(s.quiet, quietFlow{f.key, time.Now()})
	if s.sweeper == nil {
		s.sweeper = time.AfterFunc(lateSegments, s.sweep)
	}
}

// sweep unregisters the flows that ended long enough ago. It runs again later if some are left.
func (s *Stack) sweep() {
	_ = s.forget(lateSegments) // an error will appear again at Close
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sweeper == nil: // the stack is closed
	case len(s.quiet) == 0:
		s.sweeper = nil
	default:
		s.sweeper.Reset(max(lateSegments-time.Since(s.quiet[0].ended), forgetEvery))
	}
}

// forget releases the resources of flows that ended at least that long ago.
func (s *Stack) forget(age time.Duration) error {
	flows := s.quietFor(age)
	if len(flows) == 0 {
		return nil
	}
	errs := []error{s.Guard.Remove(flows...)}
	for _, f := range flows {
		errs = append(errs, s.ports.release(f.Local))
		s.releaseSlot()
	}
	return errors.Join(errs...)
}

// quietFor removes from quiet the flows that ended at least that long ago, and returns them.
func (s *Stack) quietFor(age time.Duration) (flows []guard.Flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	n := 0
	for n < len(s.quiet) && now.Sub(s.quiet[n].ended) >= age {
		n++
	}
	flows = make([]guard.Flow, n)
	for i := range flows {
		flows[i] = s.quiet[i].key
	}
	s.quiet = slices.Delete(s.quiet, 0, n)
	return flows
}

// Close releases the ports and guard entries of all flows that have ended. The caller closes the wire and the guard.
func (s *Stack) Close() error {
	s.mu.Lock()
	wait := time.Duration(0)
	if n := len(s.quiet); n > 0 {
		wait = lastSegments - time.Since(s.quiet[n-1].ended)
	}
	if s.sweeper != nil {
		s.sweeper.Stop()
		s.sweeper = nil
	}
	s.mu.Unlock()
	time.Sleep(wait)
	return s.forget(0)
}
