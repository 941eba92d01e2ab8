package wire

import (
	"context"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Scripted is a Wire without a network: a function plays the far end, another the path. It keeps no
// thread and reads the time only through package time, so that a test can run it on a fake clock.
type Scripted struct {
	peer func(*segment.Segment) []*segment.Segment
	path Path

	mu   sync.Mutex // the peer sees one segment at a time
	sent []*segment.Segment
	in   chan Packet
}

// Path decides what becomes of a segment: the delays after which copies of it arrive. No delay is a
// loss, two are a duplication.
type Path func(s *segment.Segment, toPeer bool) []time.Duration

// scriptedQueue bounds what may wait for Receive.
const scriptedQueue = 1 << 16

// NewScripted returns a wire to the given peer. A nil path delivers after 100 µs.
func NewScripted(peer func(*segment.Segment) []*segment.Segment, path Path) *Scripted {
	if path == nil {
		path = func(*segment.Segment, bool) []time.Duration { return []time.Duration{100 * time.Microsecond} }
	}
	return &Scripted{peer: peer, path: path, in: make(chan Packet, scriptedQueue)}
}

// Send hands s to the path.
func (w *Scripted) Send(s *segment.Segment) (time.Time, error) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, s)
	for _, d := range w.path(s, true) {
		time.AfterFunc(d, func() { w.arrive(s) })
	}
	return now, nil
}

func (w *Scripted) arrive(s *segment.Segment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliver(w.peer(s))
}

// deliver hands what the peer sends to the path.
func (w *Scripted) deliver(all []*segment.Segment) {
	for _, s := range all {
		for _, d := range w.path(s, false) {
			time.AfterFunc(d, func() { w.in <- Packet{Time: time.Now(), Segment: s} })
		}
	}
}

// Later lets the peer send without being asked: after d, what f returns leaves it.
func (w *Scripted) Later(d time.Duration, f func() []*segment.Segment) {
	time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.deliver(f())
	})
}

// Receive returns the next answer.
func (w *Scripted) Receive(ctx context.Context) (Packet, error) {
	select {
	case p := <-w.in:
		return p, nil
	case <-ctx.Done():
		return Packet{}, ctx.Err()
	}
}

// Sent lists the segments sent so far.
func (w *Scripted) Sent() []*segment.Segment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*segment.Segment(nil), w.sent...)
}

// Behind is always false: what has arrived is there.
func (w *Scripted) Behind() bool { return false }

// Dropped is always 0.
func (w *Scripted) Dropped() (int, error) { return 0, nil }

// Close does nothing.
func (w *Scripted) Close() error { return nil }
