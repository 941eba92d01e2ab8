package conntest

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// OldDropper is a device in front of a peer that drops segments which start below what the peer has acknowledged, as
// some firewalls do, SYN and RST excepted.
type OldDropper struct {
	Peer
	Gaps      bool // it also drops data that leaves a gap
	Remembers bool // a new connection of the same ports does not make it forget the highest number acknowledged

	acked map[[2]netip.AddrPort]seq.Number
}

// Receive drops, or lets the peer answer.
func (d *OldDropper) Receive(s *segment.Segment) []*segment.Segment {
	if d.acked == nil {
		d.acked = map[[2]netip.AddrPort]seq.Number{}
	}
	key := [2]netip.AddrPort{s.Source, s.Destination}
	una, known := d.acked[key]
	exempt := s.Flags.Has(segment.SYN) || s.Flags.Has(segment.RST)
	if known && !exempt && (s.Seq.Before(una) || d.Gaps && s.Seq.After(una)) {
		return nil
	}
	out := d.Peer.Receive(s)
	for _, answer := range out {
		if una, known := d.acked[key]; answer.Flags.Has(segment.ACK) && !(d.Remembers && known && answer.Ack.Before(una)) {
			d.acked[key] = answer.Ack
		}
	}
	return out
}
