package conn

import (
	"context"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// inboxSize is how many packets of one flow may wait to be read: those of a full confirmation block, and as many again.
const inboxSize = 1024

// inbox queues the arrived packets of one flow. The stack's receiver puts them in; the flow's goroutine takes them out.
type inbox struct {
	mu      sync.Mutex
	waiting []wire.Packet // grows as needed: most flows have few packets
	taken   int           // how many of waiting were taken
	over    bool          // the receiver has ended
	ready   chan struct{} // has an element while packets may wait; closed when the receiver has ended
	alarm   *time.Timer
	pending func() bool // reports whether packets have arrived that are not in an inbox yet
}

// On a busy host, packets that arrived before the deadline may be read after it. await reads them first.
const (
	catchUp     = time.Second
	catchUpStep = time.Millisecond
)

func newInbox(pending func() bool) *inbox {
	return &inbox{ready: make(chan struct{}, 1), pending: pending}
}

// put reports false where there is no room.
func (b *inbox) put(p wire.Packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || len(b.waiting)-b.taken >= inboxSize {
		return false
	}
	b.waiting = append(b.waiting, p)
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

// end marks the inbox as complete: no further packet will arrive.
func (b *inbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.over = true
		close(b.ready)
	}
}

// take returns the oldest packet without waiting.
func (b *inbox) take() (p wire.Packet, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == len(b.waiting) {
		return p, false
	}
	p = b.waiting[b.taken]
	if b.taken++; b.taken == len(b.waiting) {
		b.waiting, b.taken = b.waiting[:0], 0
	}
	return p, true
}

// await returns the next packet. It returns false if none arrives until the given time, or if none can arrive any more.
func (b *inbox) await(ctx context.Context, until time.Time) (p wire.Packet, ok bool) {
	if p, ok = b.take(); ok {
		return p, true
	}
	if b.alarm == nil {
		b.alarm = time.NewTimer(time.Until(until))
	} else {
		b.alarm.Reset(time.Until(until))
	}
	defer b.alarm.Stop()
	for open := true; open && !ok; {
		select {
		case _, open = <-b.ready:
			p, ok = b.take()
		case <-b.alarm.C:
			if time.Since(until) > catchUp || !b.pending() {
				return b.take()
			}
			b.alarm.Reset(catchUpStep)
		case <-ctx.Done():
			return p, false
		}
	}
	return p, ok
}
