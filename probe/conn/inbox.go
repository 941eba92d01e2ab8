package conn

import (
	"context"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// inboxSize bounds what may arrive for one flow before its scenario looks: a full confirmation block
// and as much again.
const inboxSize = 1024

// inbox is what has arrived for one flow. The stack's receiver puts, the flow's goroutine takes.
type inbox struct {
	mu      sync.Mutex
	waiting []wire.Packet // grows with what comes: most flows see a handful
	taken   int           // of those
	over    bool          // nothing can come any more
	ready   chan struct{} // full while something may wait, closed when all is over
	alarm   *time.Timer
	behind  func() bool // packets have arrived that are not in an inbox yet
}

// On a busy host the deadline can pass before packets that arrived in time are read. They are read first.
const (
	catchUp     = time.Second
	catchUpStep = time.Millisecond
)

func newInbox(behind func() bool) *inbox {
	return &inbox{ready: make(chan struct{}, 1), behind: behind}
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

// end says that nothing can come any more.
func (b *inbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.over = true
		close(b.ready)
	}
}

// take returns what came first, without waiting.
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

// await returns what comes first until the given time; false if nothing does, or can.
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
			if time.Since(until) > catchUp || !b.behind() {
				return b.take()
			}
			b.alarm.Reset(catchUpStep)
		case <-ctx.Done():
			return p, false
		}
	}
	return p, ok
}
