package conntest

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Renumberer is a device in front of a peer that shifts each connection's sequence numbers by another distance, and
// leaves those in SACK options as they are, as some firewalls do that randomise initial numbers.
type Renumberer struct {
	Peer

	by map[netip.AddrPort]int
}

// distance is that of a connection.
func (d *Renumberer) distance(client netip.AddrPort) int {
	if d.by == nil {
		d.by = map[netip.AddrPort]int{}
	}
	if d.by[client] == 0 {
		d.by[client] = 1<<24 + len(d.by)<<26
	}
	return d.by[client]
}

// Receive lets the peer answer under other numbers.
func (d *Renumberer) Receive(s *segment.Segment) []*segment.Segment {
	by := d.distance(s.Source)
	shifted := *s
	shifted.Seq = s.Seq.Add(by)
	out := d.Peer.Receive(&shifted)
	for i, answer := range out {
		if answer.Flags.Has(segment.ACK) {
			back := *answer
			back.Ack = answer.Ack.Add(-by)
			out[i] = &back
		}
	}
	return out
}
