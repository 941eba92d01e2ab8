// Package verdict turns the observations of a flow into a verdict with one reason. It has an ordered list of small
// rules, and the statistics that they use. It does no input or output.
package verdict

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// Observation has the observations of one flow.
type Observation struct {
	Fault   error          // error of the prober itself
	Expired bool           // the run's deadline passed before the flow was finished
	Guard   conn.SelfCheck // self-check over all connections of the flow

	Opening  conn.Opening // answer to the SYN from the last source port
	Ports    int          // number of source ports tried
	ResetAny bool         // a port without an answer to SYNs answered an unsolicited ACK with RST
	Reverse  Confirmation // block of RSTs at sequence 0 (suspects) and RSTs at other numbers
	Proof    conn.Proof
	Silence  Silence     // segments that got no answer, for a handshake that failed
	Alone    int         // how often the handshake succeeded alone after it had failed beside others
	Beside   conn.Answer // the answer to the SYN beside others

	OnAccept     *OnAccept           // the application resets each connection that it accepts; nil: not known
	PeerReset    bool                // the peer reset the connection before a verdict, with every payload
	Reset        *conn.ReceivedReset // the first RST of the connection; nil: none came
	Resets       ResetTest
	Ahead        bool          // old bytes drew no answer, so beacons were new bytes beyond the suspect
	Unproven     Count         // beacons of both kinds of which none was answered
	NoData       bool          // the peer was sent no data
	Control      Count         // segments like the suspect without the tested property
	Delivered    bool          // the suspect was acknowledged
	FirstLost    bool          // the answer to a beacon showed that the first suspect was missing; it may have come later
	AckHeld      bool          // the peer named the suspect's bytes, and the acknowledgements say it lacks them
	Cut          bool          // a part of the first suspect was acknowledged, and the rest not
	FirstLate    time.Duration // delay of the first suspect; 0 if it never arrived, or in time
	FirstUnasked bool          // no beacon drew that answer, so the peer may have delayed it
	Unasked      bool          // the first suspect was missing, and the run ended before the reason was known
	Exchange     Exchange      // copies that the peer identifies, after the first suspect was missing
	Sizes        SizeTest
	Firsts       FirstTest
	Repeats      Exchange // of copies that were lost although the first of each connection arrives
	Wrap         Wrap     // where the suspect was lost, and nothing showed that other numbers after 0 arrive
	Alike        Alike    // where the suspect was lost because of its number
	Sandwich     Count    // suspects between two answered beacons
	Witnessed    bool     // the peer's SACK showed that only the suspect is missing
	Blocks       []Confirmation
	Isolated     bool   // the same segment arrived at another number
	What         string // the suspect's name in messages
	ByAck        bool   // the acknowledgement number is 0, not the sequence number
	Across       bool   // the suspect starts before 0 and ends after it
	OtherNumbers Count  // segments that differ from the suspect only in the number
	AckZero      Incarnations
	Peer         PeerSegments
	Stuck        bool // no further test was possible: the peer accepted no RST that would end an incarnation
}

// Count is a number of sent segments and how many of them were lost.
type Count struct{ Sent, Lost int }

// Rate returns the share that was lost; 0 if nothing was sent.
func (c Count) Rate() float64 {
	if c.Sent == 0 {
		return 0
	}
	return float64(c.Lost) / float64(c.Sent)
}

// Incarnations is the result of a test over several connections of one 4-tuple. In each of them one of several answers,
// at random, acknowledges exactly 0, and that answer was lost.
type Incarnations struct {
	Made  int
	P     float64 // probability that it was lost each time if all answers are lost alike
	Alpha float64 // the test's share of the stated error
}

// Significant reports whether chance is excluded.
func (i Incarnations) Significant() bool { return i.Made > 0 && i.P <= i.Alpha }

// Confirmation is the result of a randomised block in which every suspect was lost.
type Confirmation struct {
	Block
	BeaconsLost int
	Alpha       float64 // this block's share of the stated error
}

// P returns the block's exact p-value; 1 if no block was sent.
func (c Confirmation) P() float64 {
	if c.Suspects == 0 {
		return 1
	}
	return Fisher(c.Suspects, c.Suspects, c.BeaconsLost, c.Beacons)
}

// Significant reports whether chance is excluded at the block's alpha.
func (c Confirmation) Significant() bool { return c.Suspects > 0 && c.P() <= c.Alpha }

// LossConfirmed reports whether one of the blocks excludes chance.
func (o *Observation) LossConfirmed() bool {
	for _, b := range o.Blocks {
		if b.Significant() {
			return true
		}
	}
	return false
}
