package fault

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Rule is what the switch drops: of the packets that match, a share. A rule without Flags matches every IPv4 and IPv6
// packet except neighbour discovery.
type Rule struct {
	Flags   FlagSet       // of the TCP segments that match; 0: whatever the packet carries
	Place   Place         // where in the space of sequence numbers they are
	Number  uint32        // what Place refers to; 0 in the rules that devices are known to have
	Members Members       // only some of the switch's members have the rule
	Share   float64       // of the matching packets, in (0, 1]; with Burst of the time
	Burst   time.Duration // mean length of the times in which every match is dropped; 0: each packet by itself
}

// Place is a relation between a segment and a number.
type Place uint8

// Relations between a segment and a number.
const (
	Anywhere   Place = iota
	Starting         // the sequence number is the number
	Straddling       // the payload has bytes before the number and bytes from it on
	Acking           // the acknowledgement number is the number; asks for segments with ACK
)

// loss is the share of segments such as s that the rule takes.
func (r Rule) loss(s *segment.Segment) float64 {
	if !r.matches(s) {
		return 0
	}
	return r.Share * r.Members.broken(s)
}

func (r Rule) matches(s *segment.Segment) bool {
	if r.Flags == 0 {
		return true
	}
	if !r.Flags.has(s.Flags) {
		return false
	}
	switch r.Place {
	case Starting:
		return s.Seq.Uint32() == r.Number
	case Straddling:
		before := r.Number - s.Seq.Uint32()
		return before > 0 && before < uint32(s.PayloadLen())
	case Acking:
		return s.Ack.Uint32() == r.Number
	}
	return true
}

// FlagSet is a set of combinations of the six flags FIN, SYN, RST, PSH, ACK and URG: bit i stands for the combination
// whose value in the TCP header is i. What else is in the header's octet (ECE, CWR) does not matter.
type FlagSet uint64

// sixFlags are those that a FlagSet is about.
const sixFlags = segment.FIN | segment.SYN | segment.RST | segment.PSH | segment.ACK | segment.URG

func (s FlagSet) has(f segment.Flags) bool { return s>>(f&sixFlags)&1 == 1 }

func combinations(belongs func(segment.Flags) bool) (s FlagSet) {
	for f := range sixFlags + 1 {
		if belongs(f) {
			s |= 1 << f
		}
	}
	return s
}

// withAll are the combinations with every flag of f, withAny those with at least one, exactly the one with no other.
func withAll(f segment.Flags) FlagSet {
	return combinations(func(c segment.Flags) bool { return c.Has(f) })
}

func withAny(f segment.Flags) FlagSet {
	return combinations(func(c segment.Flags) bool { return c&f != 0 })
}

func exactly(f segment.Flags) FlagSet { return 1 << f }
