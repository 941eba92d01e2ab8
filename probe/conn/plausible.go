package conn

import "github.com/tcpprobe/tcpprobe/probe/segment"

// plausible reports whether a segment may be the peer's answer by its numbers (compare RFC 5961 section 5.2). Who does
// not see the connection must guess both: one of 2^15 sequence numbers and one of 2^16 acknowledgement numbers is
// accepted, together one of 2^31. An older sequence number is accepted because segments may overtake each other. A
// segment that opens a connection, and an RST, has rules of its own.
func (c *Conn) plausible(g *segment.Segment) bool {
	if g == nil || !c.established || g.Flags.Has(segment.RST) {
		return true
	}
	first := g.Seq
	if g.Flags.Has(segment.SYN) {
		first = first.Add(1)
	}
	return g.Flags.Has(segment.ACK) &&
		(c.peerUnknown || first.In(c.peer.Add(-window), 2*window)) &&
		g.Ack.After(c.acked.Add(-largestSendWindow)) && !g.Ack.After(c.sentUpTo)
}

// largestSendWindow is the most that a peer allows in flight: crafted connections do not offer to scale windows, and
// the kernel's have less to send.
const largestSendWindow = 65535
