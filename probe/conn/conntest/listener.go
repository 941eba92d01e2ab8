package conntest

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Listener is a peer for a ScriptedWire that answers as a Linux listening socket and its connections do, as far as
// probes need (measured on Linux 6.18). The zero value accepts every connection and reads all data.
type Listener struct {
	Closed             bool // nothing listens: every segment gets an RST
	QueueFull          bool // the final ACK and data are ignored
	Deferred           bool // only data completes the handshake (TCP_DEFER_ACCEPT)
	CloseAfterBytes    int  // number of bytes after which the application closes; further data gets an RST. 0: never
	CloseAfterSegments int  // number of segments after which the application closes. 0: never
	NoDSACK            bool // sends no DSACKs
	ClosesAtEOF        bool // the application closes once it has read everything up to a FIN
	MSS                int  // its MSS option; 0: 1460
	Window             int  // its receive window, beyond which it takes nothing; 0: 65535

	conns map[[2]netip.AddrPort]*peerConn
	made  int
}

// peerConn is the listener's side of one connection.
type peerConn struct {
	l           *Listener
	local       netip.AddrPort
	remote      netip.AddrPort
	start       seq.Number // RCV.NXT after the SYN
	rcv         seq.Number // RCV.NXT
	iss         seq.Number
	snd         seq.Number // SND.NXT
	established bool
	segments    int                 // number of received segments
	eof         bool                // the peer's FIN is acknowledged, and the application has closed
	finished    bool                // the application closed: the kernel's remaining state sends no DSACKs
	early       []segment.SACKBlock // out-of-order data
	answered    time.Time           // time of the last rate-limited ACK
}

// sackBlocks is how many SACK blocks an acknowledgement has at most.
const sackBlocks = 4

// firstClosed is the first of the ports at which nothing listens.
const firstClosed = 60000

// peerISS is the initial sequence number of a Listener's first connection. Those of the next connections are far from
// it.
var peerISS = seq.At(1_000_000)

// Live counts the connections that the listener holds, half-open ones included.
func (l *Listener) Live() int { return len(l.conns) }

// Receive answers one segment as the kernel would.
func (l *Listener) Receive(s *segment.Segment) []*segment.Segment {
	if l.conns == nil {
		l.conns = map[[2]netip.AddrPort]*peerConn{}
	}
	key := [2]netip.AddrPort{s.Source, s.Destination}
	c := l.conns[key]
	switch {
	case c == nil && s.Flags.Has(segment.RST):
		return nil
	case c == nil && s.Flags == segment.SYN && !l.Closed && s.Destination.Port() < firstClosed:
		c = &peerConn{l: l, local: s.Destination, remote: s.Source, start: s.Seq.Add(1), rcv: s.Seq.Add(1),
			iss: peerISS.Add(l.made << 20)}
		c.snd, l.made = c.iss.Add(1), l.made+1
		l.conns[key] = c
		return c.synAck()
	case c == nil:
		return []*segment.Segment{refuse(s)}
	case s.Flags.Has(segment.RST):
		if s.Seq == c.rcv || len(c.early) > 0 && s.Seq == c.rightmost() {
			delete(l.conns, key)
			return nil
		}
		if !s.Seq.In(c.rcv, 65535) {
			return nil
		}
		return c.rateLimitedAck() // challenge, RFC 5961 section 3.2
	}
	if c.eof && s.Flags.Has(segment.ACK) && s.Ack == c.snd && s.End().AtLeast(c.rcv) {
		delete(l.conns, key)
		return nil
	}
	out := c.receive(s)
	if l.ClosesAtEOF && s.Flags.Has(segment.FIN) && s.End() == c.rcv && !c.finished {
		c.eof = true
		out = append(out, c.close())
	}
	if c.segments++; c.l.CloseAfterSegments > 0 && c.segments == c.l.CloseAfterSegments && !c.finished {
		out = append(out, c.close())
	}
	if c.finished && s.PayloadLen() > 0 && s.End().After(c.rcv) {
		delete(l.conns, key)
		return []*segment.Segment{refuse(s)}
	}
	return out
}

// refuse is the RST for a segment that belongs to no connection (RFC 9293 section 3.5.2).
func refuse(s *segment.Segment) *segment.Segment {
	r := &segment.Segment{Source: s.Destination, Destination: s.Source, Flags: segment.RST, WindowScale: -1}
	if s.Flags.Has(segment.ACK) {
		r.Seq = s.Ack
	} else {
		r.Flags, r.Ack = segment.RST|segment.ACK, s.End()
	}
	return r
}

func (c *peerConn) receive(s *segment.Segment) []*segment.Segment {
	switch {
	case s.Flags.Has(segment.SYN) && s.End() == c.start && !c.established:
		return c.synAck()
	case s.Flags.Has(segment.SYN):
		return c.rateLimitedAck()
	}
	if !c.established {
		switch {
		case s.Ack != c.snd: // RFC 9293 section 3.10.7.4, SYN-RECEIVED
			return []*segment.Segment{refuse(s)}
		case s.Seq.Before(c.rcv) && !s.End().After(c.rcv):
			return c.ack() // outside the window of a half-open connection: an ACK without DSACK
		case c.l.QueueFull, c.l.Deferred && s.PayloadLen() == 0:
			return nil
		}
		c.established = true
	}
	if s.End() == s.Seq {
		if s.Seq.Before(c.rcv) {
			return c.rateLimitedAck()
		}
		return nil
	}
	if !s.End().After(c.rcv) {
		return c.duplicate(segment.SACKBlock{Left: s.Seq, Right: s.End()})
	}
	if c.finished {
		return nil
	}
	if s.End().Sub(c.rcv) > c.window() {
		return c.ack()
	}
	c.store(segment.SACKBlock{Left: s.Seq, Right: s.End()})
	return c.answerData()
}

// rateLimitedAck returns an ACK for a segment without data outside the window, at most once in 500 ms
// (tcp_invalid_ratelimit).
func (c *peerConn) rateLimitedAck() []*segment.Segment {
	now := time.Now()
	if now.Sub(c.answered) < 500*time.Millisecond {
		return nil
	}
	c.answered = now
	return c.ack()
}

// answerData acknowledges data, and closes if the application has read enough.
func (c *peerConn) answerData() []*segment.Segment {
	out := c.ack()
	if n := c.l.CloseAfterBytes; n > 0 && c.rcv.Sub(c.start) >= n && !c.finished {
		out[0] = c.close()
	}
	return out
}

// close is the application's close(): it sends a FIN.
func (c *peerConn) close() *segment.Segment {
	fin := c.ack()[0]
	fin.Flags |= segment.FIN
	c.finished, c.snd = true, c.snd.Add(1)
	return fin
}

// store adds a block of new data and advances RCV.NXT over contiguous data.
func (c *peerConn) store(b segment.SACKBlock) {
	c.early = append(c.early, b)
	for moved := true; moved; {
		moved = false
		for i, e := range c.early {
			if !e.Left.After(c.rcv) {
				if e.Right.After(c.rcv) {
					c.rcv = e.Right
				}
				c.early = append(c.early[:i], c.early[i+1:]...)
				moved = true
				break
			}
		}
	}
}

func (c *peerConn) rightmost() seq.Number {
	right := c.rcv
	for _, b := range c.early {
		if b.Right.After(right) {
			right = b.Right
		}
	}
	return right
}

func (c *peerConn) synAck() []*segment.Segment {
	s := c.bare(segment.SYN | segment.ACK)
	s.Seq, s.Ack, s.MSS, s.SACKPermitted = c.iss, c.start, uint16(cmp.Or(c.l.MSS, 1460)), true
	return []*segment.Segment{s}
}

func (c *peerConn) ack() []*segment.Segment {
	s := c.bare(segment.ACK)
	for _, b := range slices.Backward(c.early) { // the latest first (RFC 2018 section 4)
		if len(s.SACK) < sackBlocks {
			s.SACK = append(s.SACK, b)
		}
	}
	return []*segment.Segment{s}
}

func (c *peerConn) duplicate(b segment.SACKBlock) []*segment.Segment {
	out := c.ack()
	if !c.l.NoDSACK && !c.finished {
		out[0].SACK = append([]segment.SACKBlock{b}, out[0].SACK[:min(len(out[0].SACK), sackBlocks-1)]...)
	}
	return out
}

func (c *peerConn) bare(f segment.Flags) *segment.Segment {
	return &segment.Segment{Source: c.local, Destination: c.remote, Flags: f, Seq: c.snd, Ack: c.rcv,
		Window: uint16(c.window()), WindowScale: -1}
}

func (c *peerConn) window() int { return cmp.Or(c.l.Window, 65535) }
