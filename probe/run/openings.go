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

// acceptTime is how long an application that accepts at all may take. On a path with a longer round trip, the next
// connection may begin once a handshake is complete: when its own final ACK arrives, so much later, the place in the
// queue is free again. On a shorter one it waits for the sign of life.
const acceptTime = 10 * time.Millisecond

const (
	// openingTime is how long a connection without a sign of life counts as being opened.
	openingTime = 250 * time.Millisecond
	// slowOpening is how many times as long as the fastest connection one may take before it counts as ignored.
	slowOpening = 4
	// After an ignored connection the next ones begin at least leastGap apart, at most mostGap. Each established one
	// shortens the gap by an eighth.
	leastGap = 40 * time.Millisecond
	mostGap  = 320 * time.Millisecond
	// longestTurn is how long a connection waits for its turn at most: its flow may hold another one.
	longestTurn = 2 * time.Second
)

// openFunc opens a connection.
type openFunc = func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error)

// openings bounds the connections to one target by what the target was seen to accept.
type openings struct {
	open   openFunc
	oneHop func() openFunc // returns what opens the connections of one flow; nil: open does
	host   *host           // that takes their answers; nil: it is not known
	target netip.AddrPort
	turns  turns // of the flows
	// allowance bounds the connections to a target that speaks first; nil: to any other
	allowance *allowance

	mu      sync.Mutex
	changed chan struct{} // closed when a connection's handshake is over
	opening int
	allowed int
	proven  int
	refused int // connections in a row, the last ones, that were refused or reset
	kernel  kernelOpenings
	fastest time.Duration // shortest time from the turn to the sign of life; 0: none yet
	gap     time.Duration // between the beginnings of two connections
	next    time.Time     // when the next connection may begin
	ignored time.Time     // when a connection last counted as ignored
}

func newOpenings(open openFunc, target netip.AddrPort, turns turns) *openings {
	return &openings{open: open, target: target, turns: turns, allowed: firstOpenings, changed: make(chan struct{})}
}

// Open prepares the connection and waits for its turn. Only the target has a queue, not another port of its host. When
// the run has ended, the flows that did not begin are many: none takes a port and a turn then.
func (o *openings) Open(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
	return o.through(ctx, o.open, remote, iss)
}

// through is Open by another function.
func (o *openings) through(
	ctx context.Context, open openFunc, remote netip.AddrPort, iss seq.Number,
) (*conn.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := open(ctx, remote, iss)
	if err != nil || remote != o.target {
		return c, err
	}
	o.wait(ctx)
	o.watch(c)
	return c, nil
}

// watch follows the opening of a connection until it is over. One that this side resets before its handshake is
// complete tells nothing of the target.
func (o *openings) watch(c *conn.Conn) {
	completed := false
	over := sync.OnceFunc(o.over)
	started := time.Now()
	timer := time.AfterFunc(o.openingTime(), func() {
		o.slowDown()
		over()
	})
	c.Completed = func() {
		completed = true
		if c.RTT >= acceptTime {
			over()
		}
	}
	c.Held = func(held bool) {
		timer.Stop()
		if held || completed || c.Reset() || !c.Established() {
			o.settled(held, !held && c.Reset(), time.Since(started))
		}
		over()
	}
}

// openingTime returns how long a connection without a sign of life counts as being opened.
func (o *openings) openingTime() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return max(openingTime, slowOpening*o.fastest)
}

// slowDown lengthens the gap after a connection was ignored although others had been established.
func (o *openings) slowDown() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.proven == 0 || time.Since(o.ignored) < openingTime {
		return
	}
	o.ignored, o.allowed = time.Now(), 1
	o.gap = min(max(2*o.gap, leastGap), mostGap)
}

// wait returns when one more connection may be opened.
func (o *openings) wait(ctx context.Context) {
	turn, stop := context.WithTimeout(ctx, longestTurn)
	defer stop()
	for {
		o.mu.Lock()
		early := time.Until(o.next)
		if o.opening < o.allowed && early <= 0 || turn.Err() != nil {
			o.opening++
			o.next = time.Now().Add(o.gap)
			o.mu.Unlock()
			return
		}
		changed := o.changed
		o.mu.Unlock()
		var due <-chan time.Time
		if early > 0 {
			due = time.After(early)
		}
		select {
		case <-changed:
		case <-due:
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
func (o *openings) settled(held, refused bool, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if refused {
		o.refused++
	}
	switch {
	case held:
		o.proven++
		o.refused = 0
		o.gap -= o.gap / 8
		if o.fastest == 0 || took < o.fastest {
			o.fastest = took
		}
		most := fewOpenings
		if o.proven >= enoughProven {
			most = manyOpenings
		}
		o.allowed = min(o.allowed+1, most)
	case o.proven > 0:
		o.allowed = 1
	}
}

// enoughRefused is how many connections in a row must be refused before the listener counts as gone.
const enoughRefused = 3

// listenerGone reports whether connections were established, how many, and all later ones were refused. Where only the
// kernel's were established these must be refused, too: something may tell crafted ones apart.
func (o *openings) listenerGone() (established int, gone bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	accepted := o.proven > 0 || o.kernel.proven > 0 && o.kernel.refused
	return o.proven + o.kernel.proven, accepted && o.refused >= enoughRefused
}

// anyProven reports whether a connection was established.
func (o *openings) anyProven() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.proven > 0
}
