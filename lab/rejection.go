package lab

import "github.com/tcpprobe/tcpprobe/probe/segment"

// Parts of an Ethernet header.
const (
	ethernetAddress = 6
	ethernetHeader  = 14
)

// rejection is the frame with which a device refuses a segment in its receiver's name: an RST as of a host without the
// connection (RFC 9293 section 3.5.2). It is nil without a hop limit.
func rejection(frame []byte, s *segment.Segment, hopLimit uint8) []byte {
	if hopLimit == 0 {
		return nil
	}
	r := segment.Segment{Source: s.Destination, Destination: s.Source, Flags: segment.RST, WindowScale: -1,
		HopLimit: hopLimit}
	if s.Flags.Has(segment.ACK) {
		r.Seq = s.Ack
	} else {
		r.Flags, r.Ack = segment.RST|segment.ACK, s.End()
	}
	packet, err := new(segment.Builder).IP(&r)
	if err != nil {
		return nil
	}
	out := make([]byte, 0, ethernetHeader+len(packet))
	out = append(out, frame[ethernetAddress:2*ethernetAddress]...)
	out = append(out, frame[:ethernetAddress]...)
	out = append(out, frame[2*ethernetAddress:ethernetHeader]...)
	return append(out, packet...)
}
