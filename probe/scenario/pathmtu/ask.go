package pathmtu

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// How often a length is asked about until it counts as missing for now. Nothing is concluded from it.
const (
	firstTries   = 8
	tries        = 4
	triesBetween = 2
	healTries    = 8
)

// ask sends a segment of that length until it is answered, and notes its fate. So many of its bytes are new; those
// before them were acknowledged already, so that a server's buffer for requests does not fill. It is new as far as the
// peer's window allows.
func (s *sizes) ask(ctx context.Context, length, fresh, times int) {
	if s.fates[length] = silent; !s.prepare(ctx, length) {
		return
	}
	if s.allNew {
		fresh = length
	}
	fresh = s.within(max(fresh, length-s.acked()))
	for i := 0; i < times && !s.over(ctx) && s.Env.Pace(ctx, 1) == nil; i++ {
		end := s.conn.Acked().Add(fresh)
		sent := s.send(s.part(length), length, fresh)
		s.conn.Await(ctx, sent.Add(s.conn.AnswerTimeout(i)), func(wire.Packet) bool {
			return s.conn.Acked().AtLeast(end) || s.over(ctx)
		})
		if s.conn.Acked().AtLeast(end) {
			s.Env.Background.Add(verdict.Count{Sent: i + 1, Lost: i})
			s.fates[length] = arrived // whatever an ICMP error says
		}
		if s.fates[length] != silent {
			return
		}
	}
}

// within is how many of so many new bytes the peer's window allows, but at least one.
func (s *sizes) within(fresh int) int { return max(1, min(fresh, s.conn.Limits().Window)) }

// part is what a segment of that length is in the evidence: one that IPv6 asks of each link is a control.
func (s *sizes) part(length int) evidence.Part {
	if length+s.headers > 1280 {
		return evidence.Suspect
	}
	return evidence.Control
}

// acked is how many bytes the peer has acknowledged.
func (s *sizes) acked() int { return s.conn.Acked().Sub(s.conn.ISS.Add(1)) }

// prepare has so many bytes acknowledged that a segment of that length does not begin before the connection's first
// byte. Most peers' windows are so large that nothing needs to be done.
func (s *sizes) prepare(ctx context.Context, length int) bool {
	for s.acked()+s.within(length) < length {
		if !s.fill(ctx, s.conn.Acked().Add(s.within(min(s.sure(), length-s.acked())))) {
			return false
		}
	}
	return true
}

// fill has all bytes before that number acknowledged, in segments of lengths that arrive.
func (s *sizes) fill(ctx context.Context, end seq.Number) bool {
	for i := 0; i < healTries && !s.conn.Acked().AtLeast(end); i++ {
		if s.over(ctx) || s.Env.Pace(ctx, 1) != nil {
			return false
		}
		before := s.conn.Acked()
		n := s.within(min(s.sure(), end.Sub(before)))
		sent := s.send(evidence.Heal, n, n)
		s.conn.Await(ctx, sent.Add(s.conn.AnswerTimeout(i)), func(wire.Packet) bool {
			return s.conn.Acked().AtLeast(before.Add(n)) || s.over(ctx)
		})
		if s.conn.Acked() != before {
			i = -1
		}
	}
	return s.conn.Acked().AtLeast(end)
}

// sentSegment is what is needed to know a segment again that an ICMP error quotes.
type sentSegment struct {
	at     seq.Number
	length int
}

// send sends a segment of that length, so many of whose bytes are not acknowledged yet.
func (s *sizes) send(part evidence.Part, length, fresh int) time.Time {
	from := s.acked() + fresh - length
	return s.sendAt(part, s.conn.ISS.Add(1+from), s.payload(from + length)[from:])
}

func (s *sizes) sendAt(part evidence.Part, at seq.Number, b []byte) time.Time {
	s.sent = append(s.sent, sentSegment{at, len(b)})
	return s.conn.Send(conn.Step{Part: part, Flags: segment.PSH | segment.ACK, Seq: &at, Payload: b})
}
