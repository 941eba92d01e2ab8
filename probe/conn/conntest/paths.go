package conntest

import (
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Delay is how long a clean path takes, one way.
const Delay = 100 * time.Microsecond

// Drop decides whether the path loses a segment.
type Drop func(s *segment.Segment, toPeer bool) bool

// Through makes paths that deliver everything that the rule does not drop.
func Through(drop Drop) func() Path { return ThroughIn(Delay, drop) }

// ThroughIn is Through with the given delay, one way.
func ThroughIn(delay time.Duration, drop Drop) func() Path {
	return func() Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if drop(s, toPeer) {
				return nil
			}
			return []time.Duration{delay}
		}
	}
}

// Everything is lost.
func Everything(*segment.Segment, bool) bool { return true }

// Nothing is lost.
func Nothing(*segment.Segment, bool) bool { return false }

// Random loses a share of the segments, both ways.
func Random(r *rand.Rand, share float64) Drop {
	return func(*segment.Segment, bool) bool { return r.Float64() < share }
}

// Bursts is a two-state channel by time (Gilbert-Elliott): everything is lost for about mean, for the
// given share of the time. It has been running for a while when the first segment comes.
func Bursts(r *rand.Rand, share float64, mean time.Duration) Drop {
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

// Rules of misbehaving switches, on the way to the peer.

// PushAtZero drops what has PSH and starts at sequence number 0.
func PushAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags.Has(segment.PSH)
}

// EveryPush drops what has PSH, at every number.
func EveryPush(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags.Has(segment.PSH) }

// EverySYN drops the SYNs, and nothing else.
func EverySYN(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags == segment.SYN }

// ReverseRSTAtZero drops RSTs at sequence number 0 on the way back.
func ReverseRSTAtZero(s *segment.Segment, toPeer bool) bool {
	return !toPeer && s.Flags.Has(segment.RST) && s.Seq.IsZero()
}
