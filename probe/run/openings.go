package run

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Bounds of the connections to one target whose handshakes are in progress. A short accept queue, of 6 places, must not
// overflow only because this probe opens many connections at the same moment.
const (
	firstOpenings = 2
	fewOpenings   = 4  // after as many connections were established
	manyOpenings  = 8  // after enoughProven
	enoughProven  = 64 // connections that allow manyOpenings
)

const (
	// openingTime is how long a connection without a sign of life counts as being opened.
	openingTime = 250 * time.Millisecond
	// longestTurn is how long a connection waits for its turn at most: its flow may hold another one.
	longestTurn = 2 * time.Second
)

// openings bounds the connections to one target by what the target was seen to accept.
type openings struct {
	open func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error)

	mu      sync.Mutex
	changed chan struct{} // closed when a connection's handshake is over
	opening int
	allowed int
	proven  int
}

func newOpenings(open func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error)) *openings {
	return &openings{open: open, allowed: firstOpenings, changed: make(chan struct{})}
}

// Open waits for the connection's turn and prepares it.
func (o *openings) Open(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
	o.wait(ctx)
	c, err := o.open(ctx, remote, iss)
	over := sync.OnceFunc(o.over)
	if err != nil {
		over()
		return nil, err
	}
	timer := time.AfterFunc(openingTime, over)
	c.Held = func(held bool) {
		timer.Stop()
		o.settled(held)
		over()
	}
	return c, nil
}

// wait returns when one more connection may be opened.
func (o *openings) wait(ctx context.Context) {
	turn, stop := context.WithTimeout(ctx, longestTurn)
	defer stop()
	for {
		o.mu.Lock()
		if o.opening < o.allowed || turn.Err() != nil {
			o.opening++
			o.mu.Unlock()
			return
		}
		changed := o.changed
		o.mu.Unlock()
		select {
		case <-changed:
		case <-turn.Done():
		}
	}
}

// over ends the opening of a connection.
func (o *openings) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opening--
	close(o.changed)
	o.changed = make(chan struct{})
}

// settled widens the bound after an established connection, and narrows it after one that failed while others had been
// established.
func (o *openings) settled(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case held:
		o.proven++
		most := fewOpenings
		if o.proven >= enoughProven {
			most = manyOpenings
		}
		o.allowed = min(o.allowed+1, most)
	case o.proven > 0:
		o.allowed = 1
	}
}

// anyProven reports whether a connection was established.
func (o *openings) anyProven() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.proven > 0
}

// solitude lets one flow of a check run without the others.
type solitude struct {
	flows  sync.RWMutex // held for reading by flows
	failed int          // flows that failed alone as well; guarded by flows
}

// enoughFailures is how many flows must fail alone as well before no more are asked.
const enoughFailures = 3

// alone calls ask while no other flow of the check is open.
func (s *solitude) alone(ctx context.Context, o *openings, ask func() bool) bool {
	if !o.anyProven() {
		return false
	}
	s.flows.RUnlock()
	defer s.flows.RLock()
	s.flows.Lock()
	defer s.flows.Unlock()
	if s.failed >= enoughFailures || ctx.Err() != nil {
		return false
	}
	if !ask() {
		s.failed++
	}
	return true
}
