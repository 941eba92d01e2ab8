package conntest

import (
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Echoer is a Listener whose application sends back what it gets, and whose initial numbers follow Linux's clock. It
// sends again what is not acknowledged.
type Echoer struct {
	Listener
	Answers  int           // bytes that it sends for each that it gets; 0: one
	Hangs    bool          // the application sends nothing back once the connection's number has come to 0
	Thinks   time.Duration // how long the application takes once it has come there
	OtherISN func() seq.Number

	later func(time.Duration, func() []*segment.Segment)
	echo  map[[2]netip.AddrPort]*echoing
}

// echoing is the sending side of one connection.
type echoing struct {
	una  seq.Number // SND.UNA
	sent []byte     // what is not acknowledged
	read seq.Number // up to where the application has read
	turn int        // of the retransmission timer
}

// isnTick is the time in which initial numbers grow by one.
const isnTick = 64 * time.Nanosecond

// Later sets the function by which the peer sends segments at a later time.
func (e *Echoer) Later(later func(d time.Duration, f func() []*segment.Segment)) { e.later = later }

// isn is the initial number for a source port at this time: the clock and a secret of the port.
func (e *Echoer) isn(port uint16) seq.Number {
	if e.OtherISN != nil {
		return e.OtherISN()
	}
	return seq.At(uint32(port) * 2654435761).Add(int(time.Duration(time.Now().UnixNano()) / isnTick))
}

// Receive answers one segment as the kernel and the application would.
func (e *Echoer) Receive(s *segment.Segment) []*segment.Segment {
	if e.echo == nil {
		e.echo = map[[2]netip.AddrPort]*echoing{}
	}
	key := [2]netip.AddrPort{s.Source, s.Destination}
	known := e.conns[key] != nil
	out := e.Listener.Receive(s)
	c := e.conns[key]
	switch {
	case c == nil:
		delete(e.echo, key)
		return out
	case !known:
		c.iss = e.isn(s.Source.Port())
		c.snd = c.iss.Add(1)
		out[0].Seq = c.iss
		e.echo[key] = &echoing{una: c.snd, read: c.rcv}
		return out
	}
	x := e.echo[key]
	if n := s.Ack.Sub(x.una); s.Flags.Has(segment.ACK) && n > 0 && n <= len(x.sent) {
		x.una, x.sent = s.Ack, x.sent[n:]
		x.turn++
	}
	return append(out, e.answer(key, c, x)...)
}

// answer sends back what the application has not read yet.
func (e *Echoer) answer(key [2]netip.AddrPort, c *peerConn, x *echoing) []*segment.Segment {
	n := c.rcv.Sub(x.read)
	x.read = c.rcv
	if n == 0 || c.snd.IsZero() && e.Hangs {
		return nil
	}
	if c.snd.IsZero() && e.Thinks > 0 {
		e.later(e.Thinks, func() []*segment.Segment { return e.send(key, c, x, n) })
		return nil
	}
	return e.send(key, c, x, n)
}

func (e *Echoer) send(key [2]netip.AddrPort, c *peerConn, x *echoing, n int) []*segment.Segment {
	n *= max(1, e.Answers)
	s := c.bare(segment.PSH | segment.ACK)
	s.Payload = make([]byte, n)
	c.snd = c.snd.Add(n)
	x.sent = append(x.sent, s.Payload...)
	x.turn++
	e.repeat(key, x, x.turn, closerRTO)
	return []*segment.Segment{s}
}

// repeat is the retransmission timer: it sends the first segment again.
func (e *Echoer) repeat(key [2]netip.AddrPort, x *echoing, turn int, after time.Duration) {
	e.later(after, func() []*segment.Segment {
		c := e.conns[key]
		if c == nil || e.echo[key] != x || x.turn != turn || len(x.sent) == 0 {
			return nil
		}
		e.repeat(key, x, turn, 2*after)
		s := c.bare(segment.PSH | segment.ACK)
		s.Seq, s.Payload = x.una, x.sent[:min(len(x.sent), 1460)]
		return []*segment.Segment{s}
	})
}
