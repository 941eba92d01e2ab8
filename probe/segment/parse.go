package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Link says what a captured packet starts with.
type Link uint8

const (
	Ethernet Link = iota // an Ethernet header
	RawIP                // an IPv4 or IPv6 header
)

// Sizes of headers without options, in bytes.
const (
	ethernetHeader = 14
	ipv4Header     = 20
	ipv6Header     = 40
	tcpHeader      = 20
)

// Protocol numbers of IP (IANA).
const (
	protocolICMP   = 1
	protocolTCP    = 6
	protocolICMPv6 = 58
)

// Kinds of TCP options (IANA).
const (
	optionEnd           = 0
	optionNop           = 1
	optionMSS           = 2
	optionWindowScale   = 3
	optionSACKPermitted = 4
	optionSACK          = 5
)

// ErrForeign means that a packet is neither TCP nor an ICMP error that quotes TCP, or is too damaged
// to tell.
var ErrForeign = errors.New("neither TCP nor an ICMP error about TCP")

// Parse reads a captured packet, which may be cut to a snap length; wireLen is its length on the wire,
// link header included, and counts where the IP header has length 0 (super-packets beyond 64 KiB).
// Exactly one result is non-nil; the error wraps ErrForeign. Checksums are not verified: a tap sees
// them before the device has filled them in. The results share no memory with packet.
func Parse(packet []byte, link Link, wireLen int) (*Segment, *Unreachable, error) {
	if link == Ethernet {
		if len(packet) < ethernetHeader {
			return nil, nil, fmt.Errorf("%w: %d bytes are no Ethernet frame", ErrForeign, len(packet))
		}
		packet, wireLen = packet[ethernetHeader:], wireLen-ethernetHeader
	}
	h, err := parseIP(packet, wireLen)
	if err != nil {
		return nil, nil, err
	}
	if h.protocol == protocolTCP {
		s, err := h.segment()
		return s, nil, err
	}
	u, err := h.unreachable()
	return nil, u, err
}

// header is what the network layer says of a packet.
type header struct {
	from, to netip.Addr
	hopLimit uint8
	protocol uint8
	id       uint16 // IPv4 alone
	packet   []byte // as captured, from the IP header on
	size     int    // of the IP header
	payload  []byte // as captured
	length   int    // bytes of payload on the wire
}

func parseIP(packet []byte, wireLen int) (header, error) {
	if len(packet) == 0 {
		return header{}, fmt.Errorf("%w: empty packet", ErrForeign)
	}
	switch packet[0] >> 4 {
	case 4:
		return parse4(packet, wireLen)
	case 6:
		return parse6(packet, wireLen)
	}
	return header{}, fmt.Errorf("%w: IP version %d", ErrForeign, packet[0]>>4)
}

func parse4(packet []byte, wireLen int) (header, error) {
	const fragmentOffset = 0x1fff
	size := 4 * int(packet[0]&0xf)
	if size < ipv4Header || len(packet) < size {
		return header{}, fmt.Errorf("%w: %d bytes are no IPv4 header", ErrForeign, len(packet))
	}
	if binary.BigEndian.Uint16(packet[6:])&fragmentOffset != 0 {
		return header{}, fmt.Errorf("%w: a later fragment", ErrForeign)
	}
	total := int(binary.BigEndian.Uint16(packet[2:]))
	if total == 0 {
		total = wireLen
	}
	if total < size {
		return header{}, fmt.Errorf("%w: IPv4 length %d", ErrForeign, total)
	}
	return header{
		from: netip.AddrFrom4([4]byte(packet[12:])), to: netip.AddrFrom4([4]byte(packet[16:])),
		hopLimit: packet[8], protocol: packet[9], id: binary.BigEndian.Uint16(packet[4:]),
		packet: packet, size: size, payload: packet[size:min(total, len(packet))], length: total - size,
	}, nil
}

func parse6(packet []byte, wireLen int) (header, error) {
	if len(packet) < ipv6Header {
		return header{}, fmt.Errorf("%w: %d bytes are no IPv6 header", ErrForeign, len(packet))
	}
	length := int(binary.BigEndian.Uint16(packet[4:]))
	if length == 0 && wireLen > 65535 {
		length = wireLen - ipv6Header
	}
	if length == 0 {
		return header{}, fmt.Errorf("%w: IPv6 length 0", ErrForeign)
	}
	return header{
		from: netip.AddrFrom16([16]byte(packet[8:])), to: netip.AddrFrom16([16]byte(packet[24:])),
		hopLimit: packet[7], protocol: packet[6],
		packet: packet, size: ipv6Header, payload: packet[ipv6Header:min(ipv6Header+length, len(packet))], length: length,
	}, nil
}

func (h header) segment() (*Segment, error) {
	t := h.payload
	if len(t) < tcpHeader {
		return nil, fmt.Errorf("%w: %d bytes are no TCP header", ErrForeign, len(t))
	}
	size := 4 * int(t[12]>>4)
	if size < tcpHeader || len(t) < size {
		return nil, fmt.Errorf("%w: a TCP header of %d bytes, of which there are %d", ErrForeign, size, len(t))
	}
	s := &Segment{
		Source:      netip.AddrPortFrom(h.from, binary.BigEndian.Uint16(t)),
		Destination: netip.AddrPortFrom(h.to, binary.BigEndian.Uint16(t[2:])),
		Seq:         seq.At(binary.BigEndian.Uint32(t[4:])), Ack: seq.At(binary.BigEndian.Uint32(t[8:])), Flags: Flags(t[13]),
		Window: binary.BigEndian.Uint16(t[14:]), Urgent: binary.BigEndian.Uint16(t[18:]),
		HopLimit: h.hopLimit, ID: h.id, WindowScale: -1, Len: max(0, h.length-size),
	}
	if err := s.readOptions(t[tcpHeader:size]); err != nil {
		return nil, err
	}
	s.keep(h.packet, h.size+size, min(len(t)-size, s.Len))
	return s, nil
}

// keep copies the headers, which end at the given offset of the packet, and the payload behind them.
func (s *Segment) keep(packet []byte, end, payload int) {
	kept := slices.Clone(packet[:end+payload])
	s.Header = kept[:end:end]
	if payload > 0 {
		s.Payload = kept[end:]
	}
}

func (s *Segment) readOptions(o []byte) error {
	for len(o) > 0 && o[0] != optionEnd {
		if o[0] == optionNop {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || len(o) < int(o[1]) {
			return fmt.Errorf("%w: a TCP option %d without its end", ErrForeign, o[0])
		}
		s.readOption(o[0], o[2:o[1]])
		o = o[o[1]:]
	}
	return nil
}

func (s *Segment) readOption(kind byte, data []byte) {
	switch {
	case kind == optionMSS && len(data) == 2:
		s.MSS = binary.BigEndian.Uint16(data)
	case kind == optionWindowScale && len(data) == 1:
		s.WindowScale = int8(min(data[0], 14)) // RFC 7323 section 2.3: more than 14 counts as 14
	case kind == optionSACKPermitted && len(data) == 0:
		s.SACKPermitted = true
	case kind == optionSACK && len(data)%8 == 0:
		s.SACK = blocks(data)
	}
}

func blocks(data []byte) []Block {
	list := make([]Block, 0, len(data)/8)
	for ; len(data) >= 8; data = data[8:] {
		left, right := binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
		list = append(list, Block{seq.At(left), seq.At(right)})
	}
	return list
}
