package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// defaultHopLimit is the TTL or hop limit of a segment that has none. Linux sends the same.
const defaultHopLimit = 64

// maxOptions is the largest size of the options in a TCP header in bytes (RFC 9293 section 3.1: 60 bytes with the fixed
// part).
const maxOptions = 40

// ErrUnbuildable means that a segment's fields do not fit into an IP packet.
var ErrUnbuildable = errors.New("segment cannot be built")

// Builder turns segments into IP packets. The zero value is ready for use. It must not be used by several goroutines at
// once.
type Builder struct {
	identify func() uint16 // makes the IPv4 identification; nil: random and not 0
	buffer   gopacket.SerializeBuffer
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	payload  gopacket.Payload
	from, to [16]byte
	options  [9]layers.TCPOption
	data     [maxOptions]byte
	values   []byte // values of the options
}

// IP returns s as an IPv4 or IPv6 packet with correct lengths and checksums. IPv4 packets have DF set, and the
// segment's identification or a random one. The bytes are valid until the next call.
//
// Only a SYN has the window scale option (RFC 7323 section 2.2: it has no meaning in other segments).
func (b *Builder) IP(s *Segment) ([]byte, error) {
	from, to := s.Source.Addr().Unmap(), s.Destination.Addr().Unmap()
	if !from.IsValid() || !to.IsValid() || from.Is4() != to.Is4() {
		return nil, fmt.Errorf("%w: addresses %s and %s are not of one family", ErrUnbuildable, from, to)
	}
	if b.buffer == nil {
		b.buffer = gopacket.NewSerializeBufferExpectedSize(128, 0)
	}
	if err := b.transport(s); err != nil {
		return nil, err
	}
	if from.Is4() {
		return b.over4(s)
	}
	return b.over6(s)
}

func (b *Builder) over4(s *Segment) ([]byte, error) {
	from, to := s.Source.Addr().Unmap().As4(), s.Destination.Addr().Unmap().As4()
	copy(b.from[:], from[:])
	copy(b.to[:], to[:])
	b.ip4 = layers.IPv4{
		Version: 4, TTL: hopLimit(s), Id: b.identification(s), Flags: layers.IPv4DontFragment,
		Protocol: layers.IPProtocolTCP, SrcIP: b.from[:4], DstIP: b.to[:4],
	}
	if err := b.tcp.SetNetworkLayerForChecksum(&b.ip4); err != nil {
		return nil, err
	}
	return b.serialize(&b.ip4)
}

func (b *Builder) over6(s *Segment) ([]byte, error) {
	b.from, b.to = s.Source.Addr().As16(), s.Destination.Addr().As16()
	b.ip6 = layers.IPv6{
		Version: 6, HopLimit: hopLimit(s), NextHeader: layers.IPProtocolTCP, SrcIP: b.from[:], DstIP: b.to[:],
	}
	if err := b.tcp.SetNetworkLayerForChecksum(&b.ip6); err != nil {
		return nil, err
	}
	return b.serialize(&b.ip6)
}

func (b *Builder) serialize(ip gopacket.SerializableLayer) ([]byte, error) {
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(b.buffer, options, ip, &b.tcp, &b.payload); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnbuildable, err)
	}
	return b.buffer.Bytes(), nil
}

func (b *Builder) transport(s *Segment) error {
	if len(s.Payload) > 65535-ipv6Header-20-maxOptions {
		return fmt.Errorf("%w: payload of %d bytes does not fit into one packet", ErrUnbuildable, len(s.Payload))
	}
	f := s.Flags
	b.payload = s.Payload
	b.tcp = layers.TCP{
		SrcPort: layers.TCPPort(s.Source.Port()), DstPort: layers.TCPPort(s.Destination.Port()),
		Seq: s.Seq.Uint32(), Ack: s.Ack.Uint32(), Window: s.Window, Urgent: s.Urgent,
		FIN: f.Has(FIN), SYN: f.Has(SYN), RST: f.Has(RST), PSH: f.Has(PSH),
		ACK: f.Has(ACK), URG: f.Has(URG), ECE: f.Has(ECE), CWR: f.Has(CWR),
	}
	return b.putOptions(s)
}

// putOptions adds the TCP options as Linux does: in the same order, each aligned to four bytes by no-operations.
func (b *Builder) putOptions(s *Segment) error {
	b.tcp.Options, b.values = b.options[:0], b.data[:0]
	if s.MSS != 0 {
		b.option(0, layers.TCPOptionKindMSS, byte(s.MSS>>8), byte(s.MSS))
	}
	if s.SACKPermitted {
		b.option(2, layers.TCPOptionKindSACKPermitted)
	}
	if t := s.Timestamps; t != nil {
		var values [8]byte
		binary.BigEndian.PutUint32(values[:], t.Value)
		binary.BigEndian.PutUint32(values[4:], t.Echo)
		b.option(2, layers.TCPOptionKindTimestamps, values[:]...)
	}
	if s.WindowScale >= 0 && s.Flags.Has(SYN) {
		b.option(1, layers.TCPOptionKindWindowScale, byte(s.WindowScale))
	}
	if len(s.SACK) > 0 {
		var edges [32]byte
		list := edges[:0]
		for _, k := range s.SACK {
			list = binary.BigEndian.AppendUint32(list, k.Left.Uint32())
			list = binary.BigEndian.AppendUint32(list, k.Right.Uint32())
		}
		b.option(2, layers.TCPOptionKindSACK, list...)
	}
	size := len(b.values)
	for _, o := range b.tcp.Options {
		size += int(o.OptionLength) // size without the value
	}
	if size > maxOptions {
		return fmt.Errorf("%w: options of %d bytes, a TCP header holds %d", ErrUnbuildable, size, maxOptions)
	}
	return nil
}

// option appends one option after so many no-operations.
func (b *Builder) option(nops int, kind layers.TCPOptionKind, value ...byte) {
	for range nops {
		b.tcp.Options = append(b.tcp.Options, layers.TCPOption{OptionType: layers.TCPOptionKindNop, OptionLength: 1})
	}
	start := len(b.values)
	b.values = append(b.values, value...)
	b.tcp.Options = append(b.tcp.Options,
		layers.TCPOption{OptionType: kind, OptionLength: 2, OptionData: b.values[start:]})
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

// RandomID returns an IPv4 identification other than 0. Some devices treat packets with 0 as crafted.
func RandomID() uint16 { return uint16(1 + rand.IntN(65535)) }

func hopLimit(s *Segment) uint8 {
	if s.HopLimit == 0 {
		return defaultHopLimit
	}
	return s.HopLimit
}
