package conn

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Bounds of the packets that wait to be read. Of each at most wire.SnapLength bytes are kept.
const (
	// inboxSize is how many one flow may have: those of a full confirmation block, and as many again.
	inboxSize = 1024
	// allInboxes is how many all flows of a stack may have.
	allInboxes = 16 * inboxSize
	// roomShare: a flow may have an eighth of the room that is left. So floods in many flows leave room for others.
	roomShare = 8
	// ownRoom is how many a flow may have whatever others have.
	ownRoom = 16
)

// inbox queues the arrived packets of one flow. The stack's receiver puts them in; the flow's goroutine takes them out.
type inbox struct {
	mu      sync.Mutex
	waiting []wire.Packet // grows as needed: most flows have few packets
	taken   int           // how many of waiting were taken
	over    bool          // nothing more is put in
	ready   chan struct{} // has an element while packets may wait; closed when the receiver has ended
	alarm   *time.Timer
	// pending reports whether packets may have arrived by that time that are not in an inbox yet
	pending func(by time.Time) bool
	all     *atomic.Int64 // packets that wait in all inboxes of the stack
}

// On a busy host, packets that arrived before the deadline may be read after it. await reads them first.
const (
	catchUp     = time.Second
	catchUpStep = time.Millisecond
)

func newInbox(pending func(by time.Time) bool, all *atomic.Int64) *inbox {
	return &inbox{ready: make(chan struct{}, 1), pending: pending, all: all}
}

// put reports false where there is no room.
func (b *inbox) put(p wire.Packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || !b.hasRoom() {
		return false
	}
	if b.taken > len(b.waiting)/2 { // a flow that never catches up must not grow
		b.waiting, b.taken = slices.Delete(b.waiting, 0, b.taken), 0
	}
	b.waiting = append(b.waiting, p)
	b.all.Add(1)
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

func (b *inbox) hasRoom() bool {
	n := len(b.waiting) - b.taken
	return n < inboxSize && n < max(ownRoom, (allInboxes-int(b.all.Load()))/roomShare)
}

// length is how many packets wait.
func (b *inbox) length() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) - b.taken
}

// discard drops what waits, and all that arrives later.
func (b *inbox) discard() {
	b.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all.Add(int64(b.taken - len(b.waiting)))
	b.waiting, b.taken = nil, 0
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
	return b.takeIf(func(wire.Packet) bool { return true })
}

// takeBy is take before that time. After it only a packet is returned that had arrived by then.
func (b *inbox) takeBy(until time.Time) (p wire.Packet, ok bool) {
	over := !time.Now().Before(until)
	return b.takeIf(func(p wire.Packet) bool { return !over || !p.Time.After(until) })
}

func (b *inbox) takeIf(wanted func(wire.Packet) bool) (p wire.Packet, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == len(b.waiting) || !wanted(b.waiting[b.taken]) {
		return p, false
	}
	p, b.waiting[b.taken] = b.waiting[b.taken], wire.Packet{}
	b.all.Add(-1)
	if b.taken++; b.taken == len(b.waiting) {
		b.waiting, b.taken = b.waiting[:0], 0
	}
	return p, true
}

// await returns the next packet. It returns false if none arrives until the given time, if ctx has ended, or if none
// can arrive any more. Packets that do not cease do not hold it up.
func (b *inbox) await(ctx context.Context, until time.Time) (p wire.Packet, ok bool) {
	if ctx.Err() != nil {
		return p, false
	}
	if p, ok = b.takeBy(until); ok {
		return p, ok
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
			p, ok = b.takeBy(until)
		case <-b.alarm.C:
			if time.Since(until) > catchUp || !b.pending(until) {
				return b.takeBy(until)
			}
			b.alarm.Reset(catchUpStep)
		case <-ctx.Done():
			return p, false
		}
	}
	return p, ok
}
