package conntest

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Closer is a peer for a ScriptedWire that closes first. It has the states of a Linux connection from then on (RFC 9293
// section 3.6), measured on 5.10, 6.1 and 6.18. The zero value is a kernel with the fix "tcp: accept old ack during
// closing" whose application never closes.
type Closer struct {
	OnAccept        bool          // the application closes at once
	CloseAfter      string        // the application closes when the data it has read ends in this text
	Reply           int           // number of bytes that it sends before its FIN
	SeparateFIN     bool          // the FIN is in a segment without data
	FINDelay        time.Duration // time from that data to the separate FIN
	Orphan          bool          // it uses close(); otherwise shutdown()
	CloseDelay      time.Duration // time from shutdown() to close(); 0: never
	Resets          bool          // it sends an RST instead of a FIN
	IgnoresOldAck   bool          // the kernel ignores a FIN with an old acknowledgement number and sends a challenge ACK
	NoChallengeAck  bool          // like IgnoresOldAck, but without the challenge ACK
	ResetsOvertaken bool          // it resets a connection on data or a FIN with an old acknowledgement number, as gVisor
	ResetsBeyond    bool          // it resets a connection on an ACK whose number is beyond what it received
	IgnoresFIN      bool          // the kernel ignores every FIN
	OutlivesReset   bool          // it ignores RSTs in TIME-WAIT (RFC 1337), as gVisor

	conns map[[2]netip.AddrPort]*closingConn
	later func(time.Duration, func() []*segment.Segment)
}

// The peer's timers, as on Linux.
const (
	closerRTO     = 200 * time.Millisecond
	closerSYNRTO  = time.Second
	closerRepeats = 7
	challengeGap  = 500 * time.Millisecond
)

type closingState int

const (
	synReceived closingState = iota
	connected
	finWait1
	finWait2
	closingBoth // RFC 9293: CLOSING
	timeWait
)

// closingConn is the peer's side of one connection.
type closingConn struct {
	*Closer
	key       [2]netip.AddrPort
	state     closingState
	rcv       seq.Number // RCV.NXT
	una, nxt  seq.Number // SND.UNA, SND.NXT
	read      []byte     // data that the application has read
	challenge time.Time  // time of the last challenge ACK
	closed    time.Time
}

// Later sets the function by which the peer sends segments at a later time: those that f returns are sent after d.
func (p *Closer) Later(later func(d time.Duration, f func() []*segment.Segment)) { p.later = later }

// Live counts the connections that the peer still holds, without those that are over (TIME-WAIT).
func (p *Closer) Live() (n int) {
	for _, c := range p.conns {
		if c.state != timeWait {
			n++
		}
	}
	return n
}

// Receive answers one segment as the kernel would.
func (p *Closer) Receive(s *segment.Segment) []*segment.Segment {
	if p.conns == nil {
		p.conns = map[[2]netip.AddrPort]*closingConn{}
	}
	key := [2]netip.AddrPort{s.Source, s.Destination}
	c := p.conns[key]
	switch {
	case c != nil:
		return c.receive(s)
	case s.Flags == segment.SYN:
		c = &closingConn{Closer: p, key: key, rcv: s.Seq.Add(1), una: peerISS, nxt: peerISS.Add(1)}
		p.conns[key] = c
		c.repeat(closerSYNRTO, closerRepeats)
		return c.synAck()
	case s.Flags.Has(segment.RST):
		return nil
	}
	return []*segment.Segment{refuse(s)}
}

func (c *closingConn) receive(s *segment.Segment) []*segment.Segment {
	switch {
	case s.Flags.Has(segment.RST) && c.state == timeWait && c.OutlivesReset:
		return nil
	case s.Flags.Has(segment.RST):
		if s.Seq == c.rcv {
			delete(c.conns, c.key)
			return nil
		}
		return c.challenged()
	case s.Flags.Has(segment.SYN) && c.state == synReceived:
		return c.synAck()
	case s.Flags.Has(segment.SYN):
		return c.challenged() // RFC 5961 section 4.2
	case c.state == timeWait:
		if s.End() == s.Seq {
			return nil
		}
		return c.challenged()
	}
	if c.refuses(s) {
		delete(c.conns, c.key)
		return []*segment.Segment{refuse(s)}
	}
	if !c.acceptable(s) {
		return c.refuseAck()
	}
	c.acknowledged(s.Ack)
	return append(c.data(s), c.fin(s)...)
}

// refuses reports whether the peer resets a connection that it has closed for what the segment is.
func (c *closingConn) refuses(s *segment.Segment) bool {
	return c.state >= finWait1 && (c.ResetsOvertaken && s.Flags.Has(segment.FIN) && s.Ack.Before(c.una) ||
		c.ResetsBeyond && s.End() == s.Seq && s.Seq.After(c.rcv))
}

// acceptable reports whether the segment's acknowledgement number is acceptable. An orphan in FIN-WAIT-2 is a time-wait
// mini-socket in Linux, which does not check it.
func (c *closingConn) acceptable(s *segment.Segment) bool {
	gone := c.Orphan || c.CloseDelay > 0 && time.Since(c.closed) >= c.CloseDelay
	mini := gone && c.state == finWait2
	old := c.IgnoresOldAck || c.NoChallengeAck
	return mini || !s.Ack.Before(c.una) || !old || c.state < finWait1
}

func (c *closingConn) refuseAck() []*segment.Segment {
	if c.NoChallengeAck {
		return nil
	}
	return c.challenged()
}

func (c *closingConn) acknowledged(n seq.Number) {
	if n.After(c.una) && !n.After(c.nxt) {
		c.una = n
	}
	all := c.una == c.nxt
	switch {
	case c.state == synReceived && all:
		c.state = connected
	case c.state == finWait1 && all:
		c.state = finWait2
	case c.state == closingBoth && all:
		c.state = timeWait
	}
}

// data processes the segment's payload and lets the application react.
func (c *closingConn) data(s *segment.Segment) (out []*segment.Segment) {
	n := s.PayloadLen()
	switch {
	case n == 0:
	case !s.Seq.Add(n).After(c.rcv):
		out = c.ack()
		out[0].SACK = []segment.SACKBlock{{Left: s.Seq, Right: s.Seq.Add(n)}}
	case s.Seq.After(c.rcv):
		out = c.ack()
	default:
		c.read = append(c.read, s.Payload[c.rcv.Sub(s.Seq):]...)
		c.rcv = s.Seq.Add(n)
		out = c.ack()
	}
	if c.state == connected && (c.OnAccept || c.CloseAfter != "" && bytes.HasSuffix(c.read, []byte(c.CloseAfter))) {
		return c.close()
	}
	return out
}

// fin processes the other side's FIN.
func (c *closingConn) fin(s *segment.Segment) []*segment.Segment {
	at := s.Seq.Add(s.PayloadLen())
	if !s.Flags.Has(segment.FIN) || c.IgnoresFIN {
		return nil
	}
	if at == c.rcv {
		c.rcv = at.Add(1)
		switch c.state {
		case finWait1:
			c.state = closingBoth
		case finWait2:
			c.state = timeWait
		}
	}
	return c.ack()
}

// close is the application's close() or shutdown().
func (c *closingConn) close() []*segment.Segment {
	if c.Resets {
		delete(c.conns, c.key)
		r := c.bare(segment.RST | segment.ACK)
		return []*segment.Segment{r}
	}
	c.nxt = c.nxt.Add(c.Reply + 1)
	c.state, c.closed = finWait1, time.Now()
	c.repeat(closerRTO, closerRepeats)
	out := c.unacknowledged()
	if c.FINDelay == 0 {
		return out
	}
	c.later(c.FINDelay, func() []*segment.Segment { return out[1:] })
	return out[:1]
}

// unacknowledged returns the segment that the retransmission timer sends.
func (c *closingConn) unacknowledged() []*segment.Segment {
	if c.state == synReceived {
		return c.synAck()
	}
	s := c.bare(segment.ACK)
	s.Seq = c.una
	n := c.nxt.Sub(c.una) - 1
	s.Payload = make([]byte, n)
	if !c.SeparateFIN || n == 0 {
		s.Flags |= segment.FIN
		return []*segment.Segment{s}
	}
	fin := c.bare(segment.FIN | segment.ACK)
	fin.Seq = c.nxt.Add(-1)
	return []*segment.Segment{s, fin}
}

// repeat retransmits until everything is acknowledged.
func (c *closingConn) repeat(after time.Duration, left int) {
	if left == 0 || c.later == nil {
		return
	}
	state := c.state
	c.later(after, func() []*segment.Segment {
		if c.conns[c.key] != c || c.una == c.nxt || state == synReceived && c.state != state {
			return nil
		}
		c.repeat(2*after, left-1)
		return c.unacknowledged()
	})
}

// challenged returns a challenge ACK, at most one in half a second.
func (c *closingConn) challenged() []*segment.Segment {
	if time.Since(c.challenge) < challengeGap {
		return nil
	}
	c.challenge = time.Now()
	return c.ack()
}

func (c *closingConn) synAck() []*segment.Segment {
	s := c.bare(segment.SYN | segment.ACK)
	s.Seq, s.MSS, s.SACKPermitted = peerISS, 1460, true
	return []*segment.Segment{s}
}

func (c *closingConn) ack() []*segment.Segment { return []*segment.Segment{c.bare(segment.ACK)} }

func (c *closingConn) bare(f segment.Flags) *segment.Segment {
	return &segment.Segment{Source: c.key[1], Destination: c.key[0], Flags: f, Seq: c.nxt, Ack: c.rcv, Window: 65535,
		WindowScale: -1}
}
