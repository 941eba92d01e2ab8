package conn

import (
	"errors"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// A flow that has ended stays guarded: a duplicate that arrives late must not draw a RST from the kernel.
const (
	lateSegments = time.Second
	// lastSegments is how long where others wait for its place, and at the end of a run: less, but longer than
	// networks reorder.
	lastSegments = 100 * time.Millisecond
	// forgetEvery keeps the sweeps apart.
	forgetEvery = 50 * time.Millisecond
)

// quietFlow is a flow that has ended.
type quietFlow struct {
	key   guard.Flow
	ended time.Time
}

// retire takes a flow out of the demultiplexer but leaves it guarded for a while.
func (s *Stack) retire(f *flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flows, f.key)
	s.quiet = append(s.quiet, quietFlow{f.key, time.Now()})
	if s.sweeper == nil {
		s.sweeper = time.AfterFunc(lateSegments, s.sweep)
	}
}

// sweep gives up the flows that were quiet for long enough, and comes again for the others.
func (s *Stack) sweep() {
	_ = s.forget(lateSegments) // what fails here fails again at Close of the guard
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sweeper == nil: // closed
	case len(s.quiet) == 0:
		s.sweeper = nil
	default:
		s.sweeper.Reset(max(lateSegments-time.Since(s.quiet[0].ended), forgetEvery))
	}
}

// forget gives up what flows hold that ended at least that long ago.
func (s *Stack) forget(age time.Duration) error {
	flows := s.quietFor(age)
	if len(flows) == 0 {
		return nil
	}
	errs := []error{s.Guard.Remove(flows...)}
	for _, f := range flows {
		errs = append(errs, s.ports.giveBack(f.Local))
		s.leave()
	}
	return errors.Join(errs...)
}

// quietFor takes the flows that ended at least that long ago out of the quiet ones.
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

// Close releases every port and guard entry of flows that have ended. The wire and the guard stay the caller's.
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
