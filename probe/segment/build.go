package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// defaultHopLimit is the TTL or hop limit of a segment that names none; it is what Linux sends.
const defaultHopLimit = 64

// maxOptions is the space for options in a TCP header, in bytes (RFC 9293 section 3.1: 60 bytes in all).
const maxOptions = 40

// ErrUnbuildable means that a segment's fields do not fit into an IP packet.
var ErrUnbuildable = errors.New("segment cannot be built")

// Builder turns segments into IP packets. The zero Builder is ready for use; it is not safe for use by
// several goroutines at once.
type Builder struct {
	identify func() uint16 // IPv4 identification; nil: random and not 0
	packet   []byte
	options  []byte
}

// IP returns s as an IPv4 or IPv6 packet with correct lengths and checksums. IPv4 packets carry DF and
// the segment's identification, or a random one. The bytes are valid until the next call.
//
// The SYN alone carries the window scale (RFC 7323 section 2.2: elsewhere it has no meaning).
func (b *Builder) IP(s *Segment) ([]byte, error) {
	from, to := s.Source.Addr().Unmap(), s.Destination.Addr().Unmap()
	if !from.IsValid() || !to.IsValid() || from.Is4() != to.Is4() {
		return nil, fmt.Errorf("%w: addresses %s and %s are not of one family", ErrUnbuildable, from, to)
	}
	if len(s.Payload) > 65535-ipv6Header-tcpHeader-maxOptions {
		return nil, fmt.Errorf("%w: payload of %d bytes does not fit into one packet", ErrUnbuildable, len(s.Payload))
	}
	b.putOptions(s)
	if len(b.options) > maxOptions {
		return nil, fmt.Errorf("%w: options of %d bytes, a TCP header holds %d", ErrUnbuildable, len(b.options), maxOptions)
	}
	b.packet = b.packet[:0]
	length := tcpHeader + len(b.options) + len(s.Payload)
	if from.Is4() {
		b.put4(s, from, to, length)
	} else {
		b.put6(s, from, to, length)
	}
	b.putTCP(s, pseudoHeader(from, to, length))
	return b.packet, nil
}

// put4 appends the IPv4 header (RFC 791 section 3.1).
func (b *Builder) put4(s *Segment, from, to netip.Addr, length int) {
	const dontFragment = 0x4000
	source, destination := from.As4(), to.As4()
	p := append(b.packet, 0x45, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(ipv4Header+length))
	p = binary.BigEndian.AppendUint16(p, b.identification(s))
	p = binary.BigEndian.AppendUint16(p, dontFragment)
	p = append(p, hopLimit(s), protocolTCP, 0, 0)
	p = append(append(p, source[:]...), destination[:]...)
	binary.BigEndian.PutUint16(p[10:], checksum(sum(0, p)))
	b.packet = p
}

// put6 appends the IPv6 header (RFC 8200 section 3).
func (b *Builder) put6(s *Segment, from, to netip.Addr, length int) {
	source, destination := from.As16(), to.As16()
	p := append(b.packet, 0x60, 0, 0, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(length))
	p = append(p, protocolTCP, hopLimit(s))
	b.packet = append(append(p, source[:]...), destination[:]...)
}

// putTCP appends the segment (RFC 9293 section 3.1), whose checksum begins with that of the pseudo header.
func (b *Builder) putTCP(s *Segment, pseudo uint32) {
	start := len(b.packet)
	p := binary.BigEndian.AppendUint16(b.packet, s.Source.Port())
	p = binary.BigEndian.AppendUint16(p, s.Destination.Port())
	p = binary.BigEndian.AppendUint32(p, s.Seq.Uint32())
	p = binary.BigEndian.AppendUint32(p, s.Ack.Uint32())
	p = append(p, byte(tcpHeader+len(b.options))/4<<4, byte(s.Flags))
	p = binary.BigEndian.AppendUint16(p, s.Window)
	p = append(p, 0, 0)
	p = binary.BigEndian.AppendUint16(p, s.Urgent)
	p = append(append(p, b.options...), s.Payload...)
	binary.BigEndian.PutUint16(p[start+16:], checksum(sum(pseudo, p[start:])))
	b.packet = p
}

// putOptions fills the TCP options as Linux does: in its order, each aligned to four bytes by no-operations.
func (b *Builder) putOptions(s *Segment) {
	o := b.options[:0]
	if s.MSS != 0 {
		o = append(o, optionMSS, 4, byte(s.MSS>>8), byte(s.MSS))
	}
	if s.SACKPermitted {
		o = append(o, optionNop, optionNop, optionSACKPermitted, 2)
	}
	if s.WindowScale >= 0 && s.Flags.Has(SYN) {
		o = append(o, optionNop, optionWindowScale, 3, byte(s.WindowScale))
	}
	if len(s.SACK) > 0 {
		o = append(o, optionNop, optionNop, optionSACK, byte(2+8*len(s.SACK)))
	}
	for _, k := range s.SACK {
		o = binary.BigEndian.AppendUint32(o, k.Left.Uint32())
		o = binary.BigEndian.AppendUint32(o, k.Right.Uint32())
	}
	b.options = o
}

// pseudoHeader is the sum over what TCP's checksum covers of the IP header (RFC 9293 section 3.1).
func pseudoHeader(from, to netip.Addr, length int) uint32 {
	source, destination := from.As16(), to.As16() // the prefix of mapped addresses is taken off below
	n := sum(sum(0, source[:]), destination[:]) + protocolTCP + uint32(length)
	if from.Is4() {
		n -= 2 * 0xffff // ::ffff:0:0/96, once each
	}
	return n
}

// sum adds 16-bit words to what has been added so far (RFC 1071). Data of 64 KiB cannot overflow it.
func sum(n uint32, data []byte) uint32 {
	for ; len(data) >= 2; data = data[2:] {
		n += uint32(data[0])<<8 | uint32(data[1])
	}
	if len(data) == 1 {
		n += uint32(data[0]) << 8
	}
	return n
}

func checksum(n uint32) uint16 {
	n = n>>16 + n&0xffff
	return ^uint16(n>>16 + n)
}

func (b *Builder) identification(s *Segment) uint16 {
	switch {
	case s.ID != 0:
		return s.ID
	case b.identify != nil:
		return b.identify()
	}
	return RandomID()
}

// RandomID is an IPv4 identification other than 0, by which some devices recognise crafted packets.
func RandomID() uint16 { return uint16(1 + rand.IntN(65535)) }

func hopLimit(s *Segment) uint8 {
	if s.HopLimit == 0 {
		return defaultHopLimit
	}
	return s.HopLimit
}
