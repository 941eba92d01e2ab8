package fault

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Rule says which packets the switch drops: a share of those that match. A rule without Flags matches every IPv4 and
// IPv6 packet except neighbour discovery.
type Rule struct {
	Flags   FlagSet       // flags of matching TCP segments; 0: any packet matches
	Place   Place         // relation of matching segments to Number
	Number  uint32        // the number for Place; 0 in the rules of real devices
	Members Members       // restricts the rule to some members of the switch
	Share   float64       // share of the matching packets, in (0, 1]; with Burst the share of time
	Burst   time.Duration // mean length of the bursts in which every match is dropped; 0: each packet is independent
}

// Place is a relation between a segment and a number.
type Place uint8

// Relations between a segment and a number.
const (
	Anywhere   Place = iota
	Starting         // the sequence number is the number
	Straddling       // the payload starts before the number and has the byte with the number
	Acking           // the acknowledgement number is the number; for segments with ACK only
	Multiples        // the sequence number is a multiple of the number, which is not 0
	UpTo             // the sequence number is from 0 to the number
)

// loss returns the share of segments like s that the rule drops.
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
	case Multiples:
		return s.Seq.Uint32()%r.Number == 0
	case UpTo:
		return s.Seq.Uint32() <= r.Number
	}
	return true
}

// FlagSet is a set of combinations of the six flags FIN, SYN, RST, PSH, ACK and URG. Bit i stands for the combination
// with the value i in the TCP header. ECE and CWR are ignored.
type FlagSet uint64

// sixFlags are the flags that a FlagSet distinguishes.
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

// withAll returns the combinations with every flag of f, withAny those with at least one, and exactly only f itself.
func withAll(f segment.Flags) FlagSet {
	return combinations(func(c segment.Flags) bool { return c.Has(f) })
}

func withAny(f segment.Flags) FlagSet {
	return combinations(func(c segment.Flags) bool { return c&f != 0 })
}

func exactly(f segment.Flags) FlagSet { return 1 << f }
