// Package verdict turns what a flow observed into a verdict with one reason: an ordered chain of small
// rules, and the statistics that they rest on. It is pure.
package verdict

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// Observation is everything that one flow of a scenario saw.
type Observation struct {
	Fault   error          // the prober could not do its work
	Expired bool           // the run's deadline came first
	Guard   conn.SelfCheck // of all connections that the flow opened

	Opening  conn.Opening // of the last source port
	Ports    int          // source ports tried
	ResetAny bool         // a silent port answered an ACK that no connection explains with an RST
	Reverse  Confirmation // RSTs at sequence 0 (suspects) among RSTs at other numbers
	Proof    conn.Proof

	PeerReset bool          // the peer reset the connection before a verdict, with every payload
	Control   Count         // segments like the suspect without its property
	Delivered bool          // the suspect was acknowledged
	FirstLost bool          // a beacon's answer showed that the first one was missing; it may have come later
	FirstLate time.Duration // after which it came; 0 if it never did, or in time
	Unasked   bool          // the first one was missing, and the run ended before it was known why
	Exchange  Exchange      // of copies that the peer names, after the first one was missing
	Sizes     SizeTest
	Firsts    FirstTest
	Sandwich  Count // suspects between two beacons that were both answered
	Witnessed bool  // the peer said by SACK that the suspect alone is missing
	Blocks    []Confirmation
	Isolated  bool   // the same arrived at another number
	What      string // the suspect in words
	ByAck     bool   // it is the acknowledgement number that is 0
	Across    bool   // it starts before 0 and ends behind it
	Elsewhere Count  // segments that differ from the suspect in the number alone
	AckZero   Incarnations
	Stuck     bool // nothing more could be asked: the peer took no RST that would have ended an incarnation
}

// Count is how many were sent and how many of them were lost.
type Count struct{ Sent, Lost int }

// Rate is the share lost; 0 if nothing was sent.
func (c Count) Rate() float64 {
	if c.Sent == 0 {
		return 0
	}
	return float64(c.Lost) / float64(c.Sent)
}

// Incarnations are connections of one 4-tuple in each of which a random one of several answers acknowledges exactly 0.
// In all of them that answer was lost.
type Incarnations struct {
	Made  int
	P     float64 // that it was the one lost each time, if all are lost alike
	Alpha float64 // the share of the stated error
}

// Convicts reports whether chance is excluded.
func (i Incarnations) Convicts() bool { return i.Made > 0 && i.P <= i.Alpha }

// Confirmation is the outcome of a randomised block in which every suspect was lost.
type Confirmation struct {
	Block
	BeaconsLost int
	Alpha       float64 // this block's share of the stated error
}

// P is the block's exact p-value; 1 where no block was sent.
func (c Confirmation) P() float64 {
	if c.Suspects == 0 {
		return 1
	}
	return Fisher(c.Suspects, c.Suspects, c.BeaconsLost, c.Beacons)
}

// Convicts reports whether chance is excluded at the block's alpha.
func (c Confirmation) Convicts() bool { return c.Suspects > 0 && c.P() <= c.Alpha }

// Convicted reports whether one of the blocks excludes chance.
func (o *Observation) Convicted() bool {
	for _, b := range o.Blocks {
		if b.Convicts() {
			return true
		}
	}
	return false
}
