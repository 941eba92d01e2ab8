package conntest

import "github.com/tcpprobe/tcpprobe/probe/segment"

// Resetter is a device in front of a peer that answers some segments with an RST in the peer's name, as firewalls do
// that reject. The peer does not see it.
type Resetter struct {
	Peer
	Resets   func(*segment.Segment) bool
	HopLimit uint8 // of its RSTs; the peer's segments have PeerHopLimit
	Forwards bool  // it passes the segment on as well
	// Acknowledges is set if its RSTs have the flag ACK, and acknowledge the segment.
	Acknowledges bool
}

// PeerHopLimit is the hop limit of what comes from the peer behind a Resetter.
const PeerHopLimit = 63

// Receive answers in the peer's name, or lets the peer answer.
func (r *Resetter) Receive(s *segment.Segment) (out []*segment.Segment) {
	resets := !s.Flags.Has(segment.RST) && r.Resets(s)
	if resets {
		rst := refuse(s)
		rst.HopLimit = r.HopLimit
		if r.Acknowledges {
			rst.Flags, rst.Ack = rst.Flags|segment.ACK, s.End()
		}
		out = append(out, rst)
	}
	if resets && !r.Forwards {
		return out
	}
	for _, answer := range r.Peer.Receive(s) {
		answer.HopLimit = PeerHopLimit
		out = append(out, answer)
	}
	return out
}
