package fault

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Members are equal links or chips among which a switch divides its traffic. The first Bad of them are broken. The zero
// value is a switch without members.
type Members struct {
	Count, Bad int
	// choose a member at random for each packet; otherwise by a hash of the flow's addresses, protocol and ports
	Spray bool
	Seed  uint32 // seed of the hash
}

// broken returns the share of segments like s that a broken member carries.
func (m Members) broken(s *segment.Segment) float64 {
	switch {
	case m.Count == 0:
		return 1
	case m.Spray || !s.Source.IsValid():
		return float64(m.Bad) / float64(m.Count)
	case m.choose(s) < m.Bad:
		return 1
	}
	return 0
}

// choose returns the member for the flow of s in the direction of s. It must be the same as in lab/switchrule.c.
func (m Members) choose(s *segment.Segment) int {
	h := m.Seed
	for _, part := range [][]byte{s.Source.Addr().AsSlice(), s.Destination.Addr().AsSlice()} {
		for ; len(part) > 0; part = part[4:] {
			h = mix(h, binary.BigEndian.Uint32(part))
		}
	}
	h = mix(h, unix.IPPROTO_TCP)
	h = mix(h, uint32(s.Source.Port())<<16|uint32(s.Destination.Port()))
	return int(uint64(h) * uint64(m.Count) >> 32)
}

// mix adds a word to a hash and spreads it over all bits, with the constants of MurmurHash3's finaliser.
func mix(h, word uint32) uint32 {
	h ^= word
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
