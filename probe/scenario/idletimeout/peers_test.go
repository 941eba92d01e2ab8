package idletimeout

import (
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// memory is what a device on the way knows of connections: when each was used last.
type memory struct {
	timeout time.Duration
	used    map[uint16]time.Time // by the client's port
	idle    func(port uint16) bool
}

func newMemory(timeout time.Duration) *memory {
	return &memory{timeout: timeout, used: map[uint16]time.Time{}}
}

// knows reports whether the device knows a segment's connection, and notes its use.
func (m *memory) knows(s *segment.Segment, toPeer bool) bool {
	port := s.Source.Port()
	if !toPeer {
		port = s.Destination.Port()
	}
	last, known := m.used[port]
	if s.Flags != segment.SYN && (!known || time.Since(last) > m.timeout) && (m.idle == nil || m.idle(port)) {
		return false
	}
	m.used[port] = time.Now()
	return true
}

// forgetful drops what belongs to no connection that it knows.
func forgetful(timeout time.Duration, also conntest.Drop) func() conntest.Path {
	return func() conntest.Path {
		m := newMemory(timeout)
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			return also(s, toPeer) || !m.knows(s, toPeer)
		})()
	}
}

// resetter is a target behind a device that answers by RST what belongs to no connection that it knows.
type resetter struct {
	conntest.Listener
	memory   *memory
	timeout  time.Duration
	hopLimit uint8
}

func (r *resetter) Receive(s *segment.Segment) []*segment.Segment {
	if r.memory == nil {
		r.memory = newMemory(r.timeout)
	}
	if !r.memory.knows(s, true) && !s.Flags.Has(segment.RST) {
		return []*segment.Segment{{Source: s.Destination, Destination: s.Source, Flags: segment.RST, Seq: s.Ack,
			HopLimit: r.hopLimit, WindowScale: -1}}
	}
	return r.Listener.Receive(s)
}

// closer is a target that ends connections some time after something.
type closer struct {
	conntest.Listener
	flags    segment.Flags // FIN and ACK, or RST and ACK
	after    time.Duration // after the connection's begin; renewed: after its last segment
	renewed  bool
	oneByOne bool // each connection's time begins with the end of the one before
	hopLimit uint8
	keeps    time.Duration // pause between its keep-alives; 0: it sends none

	later func(time.Duration, func() []*segment.Segment)
	used  map[netip.AddrPort]time.Time
	count int
}

// Later gets what lets segments come later.
func (c *closer) Later(f func(time.Duration, func() []*segment.Segment)) { c.later = f }

func (c *closer) Receive(s *segment.Segment) []*segment.Segment {
	out := c.Listener.Receive(s)
	if c.used == nil {
		c.used = map[netip.AddrPort]time.Time{}
	}
	c.used[s.Source] = time.Now()
	if s.Flags == segment.SYN && len(out) == 1 && out[0].Flags.Has(segment.SYN) {
		c.count++
		if c.keeps > 0 {
			c.keepAlive(out[0])
		}
		if c.after > 0 {
			c.schedule(out[0], c.due())
		}
	}
	return out
}

func (c *closer) due() time.Duration {
	if c.oneByOne {
		return time.Duration(c.count) * c.after
	}
	return c.after
}

// schedule ends the connection that the SYN-ACK opened, unless it was used meanwhile and that counts.
func (c *closer) schedule(synAck *segment.Segment, d time.Duration) {
	c.later(d, func() []*segment.Segment {
		if since := time.Since(c.used[synAck.Destination]); c.renewed && since < c.after {
			c.schedule(synAck, c.after-since)
			return nil
		}
		if c.flags.Has(segment.RST) { // the target's own end of it is gone too
			c.Listener.Receive(&segment.Segment{Source: synAck.Destination, Destination: synAck.Source, Flags: segment.RST,
				Seq: synAck.Ack})
		}
		end := c.bare(synAck, c.flags, 1)
		end.HopLimit = c.hopLimit
		return []*segment.Segment{end}
	})
}

// keepAlive sends keep-alives as long as the peer has the connection.
func (c *closer) keepAlive(synAck *segment.Segment) {
	c.later(c.keeps, func() []*segment.Segment {
		if c.Live() == 0 {
			return nil
		}
		c.keepAlive(synAck)
		return []*segment.Segment{c.bare(synAck, segment.ACK, 0)}
	})
}

func (c *closer) bare(synAck *segment.Segment, f segment.Flags, beyond int) *segment.Segment {
	return &segment.Segment{Source: synAck.Source, Destination: synAck.Destination, Flags: f,
		Seq: synAck.Seq.Add(beyond), Ack: synAck.Ack, Window: 65535, WindowScale: -1}
}
