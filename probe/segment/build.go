package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// defaultHopLimit is the TTL or hop limit of a segment that names none; it is what Linux sends.
const defaultHopLimit = 64

// ErrUnbuildable means that a segment's fields do not fit into an IP packet.
var ErrUnbuildable = errors.New("segment cannot be built")

// Builder turns segments into IP packets. The zero Builder is ready for use; it is not safe for use by
// several goroutines at once.
type Builder struct {
	identify func() uint16 // IPv4 identification; nil: random and not 0
	buffer   gopacket.SerializeBuffer
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	payload  gopacket.Payload
	from, to [16]byte
	options  [4]layers.TCPOption
	data     [40]byte // what the options hold
}

// IP returns s as an IPv4 or IPv6 packet with correct lengths and checksums. IPv4 packets carry DF and
// a random identification other than 0. The bytes are valid until the next call.
//
// The SYN alone carries the window scale (RFC 7323 section 2.2: elsewhere it has no meaning).
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
		Version: 4, TTL: hopLimit(s), Id: b.identification(), Flags: layers.IPv4DontFragment,
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
	if len(s.Payload) > 65535-40-60 {
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

// putOptions fills the TCP options in the order in which Linux sends them.
func (b *Builder) putOptions(s *Segment) error {
	data, options := b.data[:0], b.options[:0]
	add := func(kind layers.TCPOptionKind, from int) {
		options = append(options, layers.TCPOption{OptionType: kind, OptionData: data[from:]})
	}
	if s.MSS != 0 {
		data = binary.BigEndian.AppendUint16(data, s.MSS)
		add(layers.TCPOptionKindMSS, 0)
	}
	if s.SACKPermitted {
		add(layers.TCPOptionKindSACKPermitted, len(data))
	}
	if s.WindowScale >= 0 && s.Flags.Has(SYN) {
		data = append(data, byte(s.WindowScale))
		add(layers.TCPOptionKindWindowScale, len(data)-1)
	}
	if start := len(data); len(s.SACK) > 0 {
		for _, k := range s.SACK {
			data = binary.BigEndian.AppendUint32(data, k.Left.Uint32())
			data = binary.BigEndian.AppendUint32(data, k.Right.Uint32())
		}
		add(layers.TCPOptionKindSACK, start)
	}
	if len(data)+2*len(options) > 40 {
		return fmt.Errorf("%w: options of %d bytes, a TCP header holds 40", ErrUnbuildable, len(data)+2*len(options))
	}
	b.tcp.Options = options
	return nil
}

func (b *Builder) identification() uint16 {
	if b.identify != nil {
		return b.identify()
	}
	return uint16(1 + rand.IntN(65535))
}

func hopLimit(s *Segment) uint8 {
	if s.HopLimit == 0 {
		return defaultHopLimit
	}
	return s.HopLimit
}
