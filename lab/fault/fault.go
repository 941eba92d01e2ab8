// Package fault defines the ways in which a switch can misbehave: their names, their effect on packets, and their loss
// rates. Package lab implements them.
package fault

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Fault is one way in which a port of the switch misbehaves. Exactly one of Rule and Impairment is set.
type Fault struct {
	Name       string // the text that Parse read
	Direction  Direction
	Rule       *Rule
	Impairment *Impairment
}

// Direction is a direction of packets as seen from the switch.
type Direction string

// Directions of a packet.
const (
	Both Direction = "both"
	In   Direction = "in"  // packets that enter the switch by the port
	Out  Direction = "out" // packets that leave the switch by the port
)

// Has reports whether d includes the packets of the one direction.
func (d Direction) Has(one Direction) bool { return d == Both || d == one }

// Impairment is what the switch does to packets that it forwards.
type Impairment struct {
	Delay         time.Duration // delay of every packet
	Jitter        time.Duration // additional random delay up to this; it does not change the order
	Reorder       float64       // share of packets that later ones overtake
	Gap           time.Duration // how long such a packet is held back
	Duplicate     float64       // share of packets that are duplicated
	DropsOld      bool          // TCP segments are dropped that begin before what was acknowledged already
	DropsInFlight bool          // TCP segments with data are dropped while earlier data is not acknowledged
	AtZero        AtZero        // effect on TCP segments with data or FIN at sequence number 0
	Wrap          Wrap          // effect where the numbers of a connection wrap
}

// AtZero is the effect on TCP segments with data or a FIN that start at sequence number 0. It needs a switch that
// examines more than a port's rule does.
type AtZero struct {
	Hold    time.Duration // delay; later segments overtake
	Shorter int           // segments with fewer bytes of data are dropped
	Longer  int           // segments with more bytes are dropped; 0: none
	First   int           // the first segments of each connection that are dropped
	After   int           // the number of each connection's segments after which all are dropped; 0: none
	Stamped Stamped       // segments with, or without, timestamps are dropped
	Every   int           // of all connections' segments together, each so many-th is dropped; 0: none
	Rate    int           // of all connections' segments together, more than so many in a second are dropped; 0: none
	Damages bool          // a bit of the TCP segment is turned over, and its checksum left as it was
	Reset   uint8         // they are dropped, and the sender gets an RST with this hop limit; 0: it gets none

	// InFlight leaves alone what is sent after the acknowledgement of everything before it. Else a segment is dropped,
	// unless Hold or Reset says what becomes of it.
	InFlight bool
}

// Stamped says whether the TCP timestamps option decides.
type Stamped string

// What may be dropped by that option; "" if it does not matter.
const (
	WithTimestamps    Stamped = "with"
	WithoutTimestamps Stamped = "without"
)

// Loses reports whether a segment is dropped for what it is and for its place in its connection. before is the number
// of earlier such segments of the connection.
func (a AtZero) Loses(s *segment.Segment, before int) bool {
	n := s.PayloadLen()
	return n < a.Shorter || a.Longer > 0 && n > a.Longer || before < a.First || a.After > 0 && before >= a.After ||
		a.Reset > 0 || a.InFlight && a.Hold == 0 || a.Stamped != "" && hasTimestamps(s) == (a.Stamped == WithTimestamps)
}

// loss returns the share of dropped segments over all lengths, options and places in a connection and in time. All of
// some kinds and none of others count as half. The receiver drops what is damaged.
func (a AtZero) loss(*segment.Segment) float64 {
	switch {
	case a.InFlight && a.Hold == 0:
		return 0.5
	case a.Damages, a.Reset > 0:
		return 1
	case a.Every > 0:
		return 1 / float64(a.Every)
	case a.Shorter > 0 || a.Longer > 0 || a.First > 0 || a.After > 0 || a.Stamped != "" || a.Rate > 0:
		return 0.5
	}
	return 0
}

// Matches reports whether the rule is about the segment.
func (a AtZero) Matches(s *segment.Segment) bool {
	return a != AtZero{} && s.Seq.IsZero() && s.End() != s.Seq && !s.Flags.Has(segment.SYN) && !s.Flags.Has(segment.RST)
}

// Loss returns the long-run share of segments like s in the direction d that the switch drops: 0 none, 1 every one. If
// the member is chosen by flow, a segment without addresses stands for the segments of any flow.
func (f Fault) Loss(s *segment.Segment, d Direction) float64 {
	if i := f.Impairment; i != nil && f.Direction.Has(d) && i.AtZero.Matches(s) {
		return i.AtZero.loss(s)
	} else if i != nil && f.Direction.Has(d) {
		return i.Wrap.loss(s)
	}
	if f.Rule == nil || !f.Direction.Has(d) {
		return 0
	}
	return f.Rule.loss(s)
}

// Drops reports whether the switch drops every segment like s in the direction d.
func (f Fault) Drops(s *segment.Segment, d Direction) bool { return f.Loss(s, d) == 1 }
