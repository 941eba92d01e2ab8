package acceptqueue

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// backlog is a listener whose application accepts no connection, so a queue that is full stays full. The source port
// decides which queue a connection gets.
type backlog struct {
	conntest.Listener
	places     int  // capacity of each queue; 0: unlimited, -1: none
	queues     int  // number of queues; 0: one
	answersSYN bool // SYNs get a SYN-ACK even when the queue is full
	resets     bool // a connection beyond the capacity gets an RST instead of no answer
	aborts     bool // only its final ACK gets an RST (tcp_abort_on_overflow)
	accepts    bool // the application accepts connections that have ended

	taken    map[int]int                   // number of connections in each queue
	starts   map[netip.AddrPort]seq.Number // first sequence number of each connection's data
	accepted map[netip.AddrPort]bool       // connections that are in a queue
}

func (b *backlog) Receive(s *segment.Segment) []*segment.Segment {
	if b.taken == nil {
		b.taken, b.starts, b.accepted = map[int]int{}, map[netip.AddrPort]seq.Number{}, map[netip.AddrPort]bool{}
	}
	from := s.Source
	switch {
	case s.Flags == segment.SYN && b.accepted[from]: // the connection's own socket answers
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

// completes reports whether s completes a handshake.
func (b *backlog) completes(s *segment.Segment) bool {
	start, known := b.starts[s.Source]
	return known && s.Seq.AtLeast(start) && (s.PayloadLen() > 0 || !b.Deferred)
}

// tooMany answers a segment of a connection beyond the capacity.
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
