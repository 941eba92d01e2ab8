package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Link is the first header of a captured packet.
type Link uint8

// First headers of a captured packet.
const (
	Ethernet Link = iota // an Ethernet header
	RawIP                // an IPv4 or IPv6 header
)

const (
	ethernetHeader = 14
	ipv6Header     = 40
)

// ErrForeign means that a packet is neither TCP nor an ICMP error that quotes TCP, or is too damaged to be recognised.
var ErrForeign = errors.New("neither TCP nor an ICMP error about TCP")

// Parse parses a captured packet, which may be cut to a snap length. wireLen is its length on the wire, link header
// included. It is used for packets whose IP header has length 0 (super-packets of more than 64 KiB). Exactly one result
// is not nil. The error wraps ErrForeign. Checksums are not verified, because a tap gets packets before the device has
// filled them in. The results share no memory with packet.
func Parse(packet []byte, link Link, wireLen int) (*Segment, *Unreachable, error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	if link == Ethernet {
		if len(packet) < ethernetHeader {
			return nil, nil, fmt.Errorf("%w: %d bytes are no Ethernet frame", ErrForeign, len(packet))
		}
		packet, wireLen = packet[ethernetHeader:], wireLen-ethernetHeader
	}
	h, err := d.network(packet, wireLen)
	if err != nil {
		return nil, nil, err
	}
	if h.protocol == layers.IPProtocolTCP {
		s, err := d.segment(h)
		return s, nil, err
	}
	u, err := d.unreachable(h)
	return nil, u, err
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder keeps gopacket's layers for reuse, so that parsing allocates only its result.
type decoder struct {
	ip4 layers.IPv4
	ip6 layers.IPv6
	tcp layers.TCP
}

// header has the parsed fields of the IP header.
type header struct {
	from, to netip.Addr
	hopLimit uint8
	protocol layers.IPProtocol
	id       uint16 // IPv4 only
	packet   []byte // captured bytes from the IP header on
	size     int    // size of the IP header
	payload  []byte // captured payload
	length   int    // payload bytes on the wire
}

func (d *decoder) network(packet []byte, wireLen int) (header, error) {
	if len(packet) == 0 {
		return header{}, fmt.Errorf("%w: empty packet", ErrForeign)
	}
	switch packet[0] >> 4 {
	case 4:
		return d.network4(packet, wireLen)
	case 6:
		return d.network6(packet, wireLen)
	}
	return header{}, fmt.Errorf("%w: IP version %d", ErrForeign, packet[0]>>4)
}

func (d *decoder) network4(packet []byte, wireLen int) (header, error) {
	if err := d.ip4.DecodeFromBytes(packet, gopacket.NilDecodeFeedback); err != nil {
		return header{}, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if d.ip4.FragOffset != 0 {
		return header{}, fmt.Errorf("%w: a later fragment", ErrForeign)
	}
	total := int(binary.BigEndian.Uint16(packet[2:]))
	if total == 0 {
		total = wireLen
	}
	from, to := address(d.ip4.SrcIP), address(d.ip4.DstIP)
	size := 4 * int(d.ip4.IHL)
	return header{from, to, d.ip4.TTL, d.ip4.Protocol, d.ip4.Id, packet, size, d.ip4.Payload, total - size}, nil
}

func (d *decoder) network6(packet []byte, wireLen int) (header, error) {
	err := d.ip6.DecodeFromBytes(packet, gopacket.NilDecodeFeedback)
	super := d.ip6.Length == 0 && wireLen > 65535 // the decoder reports length 0 as an error, but has read all fields then
	if len(packet) < ipv6Header || err != nil && !super {
		return header{}, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	length := int(d.ip6.Length)
	if super {
		length = wireLen - ipv6Header
	}
	from, to := address(d.ip6.SrcIP), address(d.ip6.DstIP)
	return header{from, to, d.ip6.HopLimit, d.ip6.NextHeader, 0, packet, ipv6Header, d.ip6.Payload, length}, nil
}

func (d *decoder) segment(h header) (*Segment, error) {
	t := &d.tcp
	if err := t.DecodeFromBytes(h.payload, gopacket.NilDecodeFeedback); err != nil {
		if !hasHeader(h.payload) {
			return nil, fmt.Errorf("%w: %w", ErrForeign, err)
		}
		// only the last option is invalid; the segment counts, since the guard has taken it
		t.Options = t.Options[:len(t.Options)-1]
	}
	s := &Segment{
		Source:      netip.AddrPortFrom(h.from, uint16(t.SrcPort)),
		Destination: netip.AddrPortFrom(h.to, uint16(t.DstPort)),
		Seq:         seq.At(t.Seq), Ack: seq.At(t.Ack), Flags: Flags(h.payload[13]),
		Window: t.Window, Urgent: t.Urgent, HopLimit: h.hopLimit, ID: h.id, WindowScale: -1,
		Len: max(0, h.length-4*int(t.DataOffset)),
	}
	s.keep(h.packet, h.size+4*int(t.DataOffset), min(len(t.Payload), s.Len))
	s.readOptions(t.Options)
	return s, nil
}

// hasHeader reports whether the TCP header is complete. Its options may be invalid.
func hasHeader(tcp []byte) bool {
	return len(tcp) >= tcpHeader && tcp[12]>>4 >= tcpHeader/4 && 4*int(tcp[12]>>4) <= len(tcp)
}

// keep copies the headers, which end at the given offset of the packet, and the payload after them.
func (s *Segment) keep(packet []byte, end, payload int) {
	kept := slices.Clone(packet[:end+payload])
	s.Header = kept[:end:end]
	if payload > 0 {
		s.Payload = kept[end:]
	}
}

func (s *Segment) readOptions(options []layers.TCPOption) {
	for _, o := range options {
		switch data := o.OptionData; {
		case o.OptionType == layers.TCPOptionKindMSS && len(data) == 2:
			s.MSS = binary.BigEndian.Uint16(data)
		case o.OptionType == layers.TCPOptionKindWindowScale && len(data) == 1:
			s.WindowScale = int8(min(data[0], 14)) // RFC 7323 section 2.3: more than 14 counts as 14
		case o.OptionType == layers.TCPOptionKindSACKPermitted && len(data) == 0:
			s.SACKPermitted = true
		case o.OptionType == layers.TCPOptionKindTimestamps && len(data) == 8:
			s.Timestamps = &Timestamps{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])}
		case o.OptionType == layers.TCPOptionKindSACK && len(data)%8 == 0:
			s.SACK = blocks(data)
		}
	}
}

func blocks(data []byte) []SACKBlock {
	list := make([]SACKBlock, 0, len(data)/8)
	for ; len(data) >= 8; data = data[8:] {
		left, right := binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
		list = append(list, SACKBlock{seq.At(left), seq.At(right)})
	}
	return list
}

func address(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a
}
