package conn

import (
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Recorder gets every packet of a stack's flows as soon as it was sent or seen. It must be safe for concurrent use.
type Recorder interface{ Record(Record) }

// Record is one packet of a flow as it was on the wire.
type Record struct {
	Local, Remote netip.AddrPort // of the flow
	Time          time.Time
	Origin        Origin
	Purpose       string           // purpose of the connection: see SetPurpose
	Part          evidence.Part    // of a sent segment: its part, such as syn, control, suspect or beacon
	Sent          *segment.Segment // of a sent segment; building it again gives the same bytes
	Header        []byte           // of other packets: the captured bytes up to the end of the TCP header
	Len           int              // of other packets: bytes on the wire
}

// Origin says who sent a packet.
type Origin uint8

// Origins of a packet.
const (
	Prober    Origin = iota
	Peer             // also a host on the path that sends an ICMP error
	Unguarded        // the peer's packet, seen on a device without the guard
	Kernel           // an RST that this host's kernel sent
)

// purposeText returns the purpose that SetPurpose set, or "".
func (f *flow) purposeText() string {
	s, _ := f.purpose.Load().(string)
	return s
}

// recordOf makes a record of a packet that the prober did not send.
func (f *flow) recordOf(p wire.Packet) Record {
	r := Record{Local: f.key.Local, Remote: f.key.Remote, Time: p.Time, Purpose: f.purposeText(), Origin: Peer}
	switch {
	case p.Outgoing:
		r.Origin = Kernel
	case p.OtherDevice:
		r.Origin = Unguarded
	}
	if u := p.Unreachable; u != nil {
		r.Header, r.Len = u.Header, u.Len
	} else {
		r.Header, r.Len = p.Segment.Header, len(p.Segment.Header)+p.Segment.PayloadLen()
	}
	return r
}

// SetPurpose sets the connection's purpose for its records: scenario and variant.
func (c *Conn) SetPurpose(purpose string) { c.flow.purpose.Store(purpose) }

// recordSent makes a record of a sent segment.
func (f *flow) recordSent(at time.Time, part evidence.Part, g *segment.Segment) Record {
	return Record{Local: g.Source, Remote: g.Destination, Time: at, Purpose: f.purposeText(), Part: part, Sent: g}
}

// sent logs and records a sent segment.
func (c *Conn) sent(at time.Time, part evidence.Part, g *segment.Segment) {
	c.log.sends(at, part, g)
	if recorder := c.flow.recorder; recorder != nil {
		recorder.Record(c.flow.recordSent(at, part, g))
	}
}

// Records returns the packets that the lines of Evidence describe.
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
