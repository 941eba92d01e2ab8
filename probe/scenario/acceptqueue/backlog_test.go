package acceptqueue

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// backlog is a listener whose connections wait for an application that accepts none: once the places of a queue are
// taken, nothing gives them back. Which queue a connection waits in is a matter of its source port.
type backlog struct {
	conntest.Listener
	places     int  // of each queue; 0: no end, -1: none
	queues     int  // 0: one
	answersSYN bool // SYNs are answered even when the queue is full
	resets     bool // a connection too many gets an RST instead of silence
	aborts     bool // only its final ACK does (tcp_abort_on_overflow)
	accepts    bool // the application takes connections that have ended out of the queue

	taken    map[int]int                   // places, by queue
	starts   map[netip.AddrPort]seq.Number // the first number of each connection's data
	accepted map[netip.AddrPort]bool       // those with a place
}

func (b *backlog) Receive(s *segment.Segment) []*segment.Segment {
	if b.taken == nil {
		b.taken, b.starts, b.accepted = map[int]int{}, map[netip.AddrPort]seq.Number{}, map[netip.AddrPort]bool{}
	}
	from := s.Source
	switch {
	case s.Flags == segment.SYN:
		if b.full(from) && !b.answersSYN {
			return b.tooMany(s)
		}
		b.starts[from] = s.Seq.Add(1)
	case s.Flags.Has(segment.RST):
		b.leave(from)
	case !b.accepted[from] && b.completes(s):
		if b.full(from) {
			return b.tooMany(s)
		}
		b.accepted[from] = true
		b.taken[b.queue(from)]++
	}
	return b.Listener.Receive(s)
}

func (b *backlog) queue(from netip.AddrPort) int { return int(from.Port()) % max(b.queues, 1) }

func (b *backlog) full(from netip.AddrPort) bool {
	return b.places != 0 && b.taken[b.queue(from)] >= b.places
}

// completes reports whether s is the last segment of a handshake.
func (b *backlog) completes(s *segment.Segment) bool {
	start, known := b.starts[s.Source]
	return known && s.Seq.AtLeast(start) && (s.PayloadLen() > 0 || !b.Deferred)
}

// tooMany is what becomes of a connection without a place.
func (b *backlog) tooMany(s *segment.Segment) []*segment.Segment {
	if !b.resets && (!b.aborts || s.Flags == segment.SYN) {
		return nil
	}
	b.Listener.Receive(&segment.Segment{Source: s.Source, Destination: s.Destination, Flags: segment.RST, Seq: s.Seq})
	r := &segment.Segment{Source: s.Destination, Destination: s.Source, Flags: segment.RST | segment.ACK, Ack: s.End(),
		WindowScale: -1}
	if s.Flags.Has(segment.ACK) {
		r.Flags, r.Seq = segment.RST, s.Ack
	}
	return []*segment.Segment{r}
}

func (b *backlog) leave(from netip.AddrPort) {
	if b.accepts && b.accepted[from] {
		b.taken[b.queue(from)]--
	}
	delete(b.accepted, from)
	delete(b.starts, from)
}
