package conntest

import (
	"context"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// ScriptedWire is a Wire without a network. One function is the peer, another the path. It starts no goroutine and
// reads the time only through package time, so tests can run it on a fake clock.
type ScriptedWire struct {
	peer func(*segment.Segment) []*segment.Segment
	path Path
	// router answers a segment on its way to the peer by an ICMP error; nil: no router does
	router func(*segment.Segment) *segment.Unreachable

	mu    sync.Mutex // the peer handles one segment at a time
	sent  []*segment.Segment
	in    chan wire.Packet
	queue eventQueue
}

// Path decides what happens to a segment. It returns the delay of each copy that arrives: none if the segment is lost,
// two if it is duplicated.
type Path func(s *segment.Segment, toPeer bool) []time.Duration

// scriptedQueue is how many packets may wait for Receive.
const scriptedQueue = 1 << 12

// NewScriptedWire returns a wire to the given peer. A nil path delivers after 100 µs.
func NewScriptedWire(peer func(*segment.Segment) []*segment.Segment, path Path) *ScriptedWire {
	if path == nil {
		path = func(*segment.Segment, bool) []time.Duration { return []time.Duration{100 * time.Microsecond} }
	}
	return &ScriptedWire{peer: peer, path: path, in: make(chan wire.Packet, scriptedQueue)}
}

// Send passes s to the path.
func (w *ScriptedWire) Send(s *segment.Segment) (time.Time, error) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, s)
	if w.refused(s) {
		return now, nil
	}
	for _, d := range w.path(s, true) {
		w.after(d, func() { w.deliver(w.peer(s)) })
	}
	return now, nil
}

// refused lets the router answer, and reports whether it did.
func (w *ScriptedWire) refused(s *segment.Segment) bool {
	if w.router == nil {
		return false
	}
	u := w.router(s)
	if u != nil {
		w.Inject(u)
	}
	return u != nil
}

// Inject lets an ICMP error arrive. It is called while a segment is handled.
func (w *ScriptedWire) Inject(u *segment.Unreachable) {
	w.after(Delay, func() { w.in <- wire.Packet{Time: time.Now(), Unreachable: u} })
}

// deliver passes the peer's segments to the path.
func (w *ScriptedWire) deliver(all []*segment.Segment) {
	for _, s := range all {
		for _, d := range w.path(s, false) {
			w.after(d, func() { w.in <- wire.Packet{Time: time.Now(), Segment: s} })
		}
	}
}

// Later lets the peer send segments that f returns after d.
func (w *ScriptedWire) Later(d time.Duration, f func() []*segment.Segment) {
	w.after(d, func() { w.deliver(f()) })
}

// after calls happen after d, behind all events that are due by then. Timers of the same instant fire in any order, but
// segments must not overtake each other unless the path reorders them.
func (w *ScriptedWire) after(d time.Duration, happen func()) {
	w.queue.add(timedEvent{time.Now().Add(d), happen})
	if d <= 0 { // no timer: under the race detector of Go 1.26 a fake clock's timer that fires at once may crash
		go w.catchUp()
		return
	}
	time.AfterFunc(d, w.catchUp)
}

// catchUp handles all events that are due.
func (w *ScriptedWire) catchUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e, ok := w.queue.take(); ok; e, ok = w.queue.take() {
		e.happen()
	}
}

// Receive returns the next answer.
func (w *ScriptedWire) Receive(ctx context.Context) (wire.Packet, error) {
	select {
	case p := <-w.in:
		return p, nil
	case <-ctx.Done():
		return wire.Packet{}, ctx.Err()
	}
}

// Sent lists the segments sent so far.
func (w *ScriptedWire) Sent() []*segment.Segment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*segment.Segment(nil), w.sent...)
}

// Pending returns false: all arrived packets can be received.
func (w *ScriptedWire) Pending() bool { return false }

// Dropped returns 0.
func (w *ScriptedWire) Dropped() (int, error) { return 0, nil }

// Close does nothing.
func (w *ScriptedWire) Close() error { return nil }
