// Package fault is the ways in which a switch misbehaves: what each is called, what it does to which packets, and how
// much it loses. Package lab carries them out.
package fault

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Fault is one way in which a port of the switch misbehaves. Exactly one of Rule and Impairment is set.
type Fault struct {
	Name       string // as Parse read it
	Direction  Direction
	Rule       *Rule
	Impairment *Impairment
}

// Direction is seen from the switch.
type Direction string

// Directions of a packet.
const (
	Both Direction = "both"
	In   Direction = "in"  // packets that enter the switch by the port
	Out  Direction = "out" // packets that leave the switch by the port
)

// Has reports whether the packets of the one direction are among those of d.
func (d Direction) Has(one Direction) bool { return d == Both || d == one }

// Impairment is what the switch does to the packets that it forwards.
type Impairment struct {
	Delay     time.Duration // of every packet
	Jitter    time.Duration // at most this much more, without changing the order
	Reorder   float64       // share of packets that later ones overtake
	Gap       time.Duration // how long such a packet is held back
	Duplicate float64       // share of packets that arrive twice
	AtZero    AtZero        // what else becomes of TCP segments with data or FIN at sequence number 0
}

// AtZero is what becomes of TCP segments with data or a FIN that start at sequence number 0. A switch does so that
// looks at more than a port's rule does.
type AtZero struct {
	Hold    time.Duration // they are held back so long, so that later ones overtake
	Shorter int           // those with fewer bytes of data are lost
	Longer  int           // those with more are lost; 0: none is
	First   int           // so many of each connection are lost
}

// Loses reports whether a segment is lost, of whose connection so many like it came before.
func (a AtZero) Loses(s *segment.Segment, before int) bool {
	n := s.PayloadLen()
	return n < a.Shorter || a.Longer > 0 && n > a.Longer || before < a.First
}

// loss is the share of segments such as s, of any length and place in their connection, that is lost: all of some kinds
// and none of others make half.
func (a AtZero) loss(*segment.Segment) float64 {
	if a.Shorter > 0 || a.Longer > 0 || a.First > 0 {
		return 0.5
	}
	return 0
}

// Matches reports whether the segment is one of those.
func (a AtZero) Matches(s *segment.Segment) bool {
	return a != AtZero{} && s.Seq.IsZero() && s.End() != s.Seq && !s.Flags.Has(segment.SYN) && !s.Flags.Has(segment.RST)
}

// Loss is the share of segments such as s, going in the direction d, that the switch loses in the long run: 0 none, 1
// every one. A segment without addresses stands for one of any flow, where members are chosen by flow.
func (f Fault) Loss(s *segment.Segment, d Direction) float64 {
	if i := f.Impairment; i != nil && f.Direction.Has(d) && i.AtZero.Matches(s) {
		return i.AtZero.loss(s)
	}
	if f.Rule == nil || !f.Direction.Has(d) {
		return 0
	}
	return f.Rule.loss(s)
}

// Drops reports whether the switch loses every segment such as s that goes in the direction d.
func (f Fault) Drops(s *segment.Segment, d Direction) bool { return f.Loss(s, d) == 1 }
