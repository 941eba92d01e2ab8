package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/google/gopacket/layers"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

const (
	icmpHeader  = 8  // both families: type, code, checksum and four bytes that depend on the type
	tcpHeader   = 20 // without options
	quotedBytes = 8  // of the TCP header: the ports and the sequence number (RFC 792)
)

// unreachable parses an ICMP error and the segment that it quotes.
func (d *decoder) unreachable(h header) (*Unreachable, error) {
	if len(h.payload) < icmpHeader || !quotes(h.protocol, h.payload[0]) {
		return nil, fmt.Errorf("%w: protocol %s", ErrForeign, h.protocol)
	}
	kind, code, quote := h.payload[0], h.payload[1], h.payload[icmpHeader:]
	q, err := d.network(quote, len(quote))
	if err != nil {
		return nil, err
	}
	if q.protocol != layers.IPProtocolTCP || len(q.payload) < quotedBytes || q.from.Is4() != h.from.Is4() {
		return nil, fmt.Errorf("%w: ICMP error that quotes %s", ErrForeign, q.protocol)
	}
	start := h.size + icmpHeader + q.size
	u := &Unreachable{
		From: h.from, Type: kind, Code: code,
		Source:      netip.AddrPortFrom(q.from, binary.BigEndian.Uint16(q.payload)),
		Destination: netip.AddrPortFrom(q.to, binary.BigEndian.Uint16(q.payload[2:])),
		Seq:         seq.At(binary.BigEndian.Uint32(q.payload[4:])),
		Header:      slices.Clone(h.packet[:min(start+tcpHeader, len(h.packet))]), Len: h.size + h.length,
	}
	if u.TooBig() {
		u.MTU = nextHopMTU(h)
	}
	return u, nil
}

// nextHopMTU is what an error about a packet that is too big says of the link: in IPv4 the last two bytes of its header
// (RFC 1191 section 4), in IPv6 the last four (RFC 4443 section 3.2).
func nextHopMTU(h header) int {
	word := binary.BigEndian.Uint32(h.payload[4:])
	if h.from.Is4() {
		return int(word & 0xffff)
	}
	return int(min(word, math.MaxInt32))
}

// quotes reports whether an ICMP message of this type quotes the packet that caused it.
func quotes(protocol layers.IPProtocol, kind uint8) bool {
	switch protocol {
	case layers.IPProtocolICMPv4: // unreachable, time exceeded, parameter problem (RFC 792)
		return kind == 3 || kind == 11 || kind == 12
	case layers.IPProtocolICMPv6: // the same and packet too big (RFC 4443 section 2.1)
		return kind >= 1 && kind <= 4
	}
	return false
}
