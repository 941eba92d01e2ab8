package conntest

import (
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Delay is the one-way delay of a path without impairments.
const Delay = 100 * time.Microsecond

// Drop decides whether the path loses a segment.
type Drop func(s *segment.Segment, toPeer bool) bool

// Dropping makes paths that drop the segments that the rule selects and deliver all others.
func Dropping(drop Drop) func() Path { return DroppingWithDelay(Delay, drop) }

// DroppingWithDelay is Dropping with the given one-way delay.
func DroppingWithDelay(delay time.Duration, drop Drop) func() Path {
	return func() Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if drop(s, toPeer) {
				return nil
			}
			return []time.Duration{delay}
		}
	}
}

// DropAll drops all segments.
func DropAll(*segment.Segment, bool) bool { return true }

// DropNone drops no segment.
func DropNone(*segment.Segment, bool) bool { return false }

// DropRandomly drops a share of the segments in both directions.
func DropRandomly(r *rand.Rand, share float64) Drop {
	return func(*segment.Segment, bool) bool { return r.Float64() < share }
}

// DropInBursts is a two-state channel over time (Gilbert-Elliott model). For the given share of the time it drops
// everything; one such burst lasts mean on average. Its state is already random at the first segment.
func DropInBursts(r *rand.Rand, share float64, mean time.Duration) Drop {
	turn, lost := time.Now().Add(-100*mean), true
	return func(*segment.Segment, bool) bool {
		for !turn.After(time.Now()) {
			lost = !lost
			length := float64(mean)
			if !lost {
				length *= (1 - share) / share
			}
			turn = turn.Add(time.Duration(r.ExpFloat64() * length))
		}
		return lost
	}
}

// Rules of faulty switches, applied to segments on the way to the peer.

// PushAtZero drops segments with PSH and sequence number 0.
func PushAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags.Has(segment.PSH)
}

// EveryPush drops segments with PSH at every sequence number.
func EveryPush(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags.Has(segment.PSH) }

// EverySYN drops SYNs only.
func EverySYN(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags == segment.SYN }

// ReverseRSTAtZero drops the peer's RSTs with sequence number 0.
func ReverseRSTAtZero(s *segment.Segment, toPeer bool) bool {
	return !toPeer && s.Flags.Has(segment.RST) && s.Seq.IsZero()
}
