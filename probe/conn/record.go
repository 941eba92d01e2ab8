package conn

import (
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Recorder is told of every packet of a stack's flows as soon as it was sent or seen, from many goroutines.
type Recorder interface{ Record(Record) }

// Record is one packet of a flow as it was on the wire.
type Record struct {
	Local, Remote netip.AddrPort // the flow
	Time          time.Time
	Origin        Origin
	Purpose       string           // what the connection is for: see For
	Part          evidence.Part    // of the prober's: what it is for, such as syn, control, suspect or beacon
	Sent          *segment.Segment // of the prober's: the same bytes come out when it is built again
	Header        []byte           // of all others: what was seen of it, up to the end of the TCP header
	Len           int              // of all others: bytes on the wire
}

// Origin says whose a packet is.
type Origin uint8

// Origins of a packet.
const (
	Prober    Origin = iota
	Peer             // or a host on the way, with an ICMP error
	Unguarded        // the peer's, on a device where no guard stands
	Kernel           // an RST of this host's kernel that left
)

// why is what For said, if it was called.
func (f *flow) why() string {
	s, _ := f.purpose.Load().(string)
	return s
}

// recordOf is what was seen of a packet that the prober did not send.
func (f *flow) recordOf(p wire.Packet) Record {
	r := Record{Local: f.key.Local, Remote: f.key.Remote, Time: p.Time, Purpose: f.why(), Origin: Peer}
	switch {
	case p.Outgoing:
		r.Origin = Kernel
	case p.Elsewhere:
		r.Origin = Unguarded
	}
	if u := p.Unreachable; u != nil {
		r.Header, r.Len = u.Header, u.Len
	} else {
		r.Header, r.Len = p.Segment.Header, len(p.Segment.Header)+p.Segment.PayloadLen()
	}
	return r
}

// For says what the connection is for, as its records tell it: scenario and variant.
func (c *Conn) For(purpose string) { c.flow.purpose.Store(purpose) }

// recordSent is a segment that has left.
func (f *flow) recordSent(at time.Time, part evidence.Part, g *segment.Segment) Record {
	return Record{Local: g.Source, Remote: g.Destination, Time: at, Purpose: f.why(), Part: part, Sent: g}
}

// sent logs a segment that has left, and records it.
func (c *Conn) sent(at time.Time, part evidence.Part, g *segment.Segment) {
	c.log.sends(at, part, g)
	if recorder := c.flow.stack.Recorder; recorder != nil {
		recorder.Record(c.flow.recordSent(at, part, g))
	}
}

// Records are the packets behind the lines of Evidence.
func (c *Conn) Records() (out []Record) {
	for _, e := range c.log.sorted() {
		if e.sent != nil {
			out = append(out, c.flow.recordSent(c.log.start.Add(e.after), e.part, e.sent))
		} else {
			out = append(out, c.flow.recordOf(e.packet))
		}
	}
	return out
}
