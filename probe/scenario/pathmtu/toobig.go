package pathmtu

import (
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// observe takes every packet that arrives, whatever is awaited.
func (s *sizes) observe(p wire.Packet) {
	switch {
	case p.Segment != nil:
		s.back.take(p.Segment)
	case p.Unreachable.TooBig():
		s.takeError(p.Unreachable)
	}
}

// takeError takes an ICMP error about a packet that is too big, if a kernel would believe it: it quotes a segment that
// is not acknowledged (RFC 5927 section 4.1), and names an MTU that is smaller and allowed.
func (s *sizes) takeError(u *segment.Unreachable) {
	length, known := s.quoted(u)
	least := 68 // RFC 791
	if u.From.Is6() {
		least = 1280 // RFC 8201 section 4
	}
	possible := u.MTU >= least && u.MTU < length+s.headers || u.MTU == 0 && u.From.Is4()
	if !known || !possible {
		s.seen.Disbelieved++
		return
	}
	s.fates[length] = refused
	s.errors[length] = verdict.TooBig{From: u.From, MTU: u.MTU, Packet: length + s.headers}
}

// tooBig is the error that names the smallest MTU, of those about what did not arrive; nil if there is none.
func (s *sizes) tooBig() (found *verdict.TooBig) {
	for length, t := range s.errors {
		if s.fates[length] == refused && (found == nil || t.MTU > 0 && (found.MTU == 0 || t.MTU < found.MTU)) {
			found = &t
		}
	}
	return found
}

// most is the longest length that is asked: less than both ends allow once an error has named an MTU.
func (s *sizes) most() int {
	if named := s.named(); named > 0 {
		return min(named, s.seen.Most)
	}
	return s.seen.Most
}

// quoted returns the length of the segment that an error quotes. known is false if none such is on its way.
func (s *sizes) quoted(u *segment.Unreachable) (length int, known bool) {
	for _, g := range s.sent {
		if g.at == u.Seq && g.at.Add(g.length).After(s.conn.Acked()) {
			length, known = max(length, g.length), true
		}
	}
	return length, known
}

// named is the length of the data that fits into the MTU that ICMP errors name; 0 if they name none.
func (s *sizes) named() int {
	if t := s.tooBig(); t != nil && t.MTU > 0 {
		return t.MTU - s.headers
	}
	return 0
}
