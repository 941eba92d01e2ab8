// Package report is the versioned document that a run produces, and the short form of it that fits
// into a pod's termination message. Its words are those a user reads in the resource's status.
package report

import (
	"cmp"
	"slices"
)

// Verdict is Pass, Fail or Inconclusive. What could not be established is not a failure.
type Verdict string

const (
	Pass         Verdict = "Pass"
	Fail         Verdict = "Fail"
	Inconclusive Verdict = "Inconclusive"
)

// bySeverity has the verdicts from the least to the worst. No verdict at all is less than any.
var bySeverity = []Verdict{"", Pass, Inconclusive, Fail}

// severity is the verdict's position in bySeverity, -1 for a word that is no verdict.
func (v Verdict) severity() int { return slices.Index(bySeverity, v) }

// known reports whether v is a verdict.
func (v Verdict) known() bool { return v.severity() >= Pass.severity() }

// Compare is positive where v is worse than w.
func (v Verdict) Compare(w Verdict) int { return cmp.Compare(v.severity(), w.severity()) }

// Worst is the worst of the verdicts, "" of none.
func Worst(all ...Verdict) Verdict {
	var worst Verdict
	for _, v := range all {
		if v.Compare(worst) > 0 {
			worst = v
		}
	}
	return worst
}

// Reason says why a verdict was reached, in one CamelCase word. Readers must accept unknown ones.
type Reason string

// Reasons of Pass.
const (
	Established Reason = "Established" // Handshake: the peer proved that its connection exists
	Delivered   Reason = "Delivered"   // SequenceWrap: the suspect was acknowledged
	FinAccepted Reason = "FinAccepted" // FinReorder: the FIN that an ACK had overtaken was accepted
	NotReached  Reason = "NotReached"  // AcceptQueue: nothing overflowed within the cap
)

// Reasons of Fail.
const (
	Refused               Reason = "Refused"               // Handshake: RST in answer to the SYN
	Filtered              Reason = "Filtered"              // Handshake: no answer from two source ports
	Unreachable           Reason = "Unreachable"           // Handshake: an ICMP error; the message has its code
	AckLostOrQueueFull    Reason = "AckLostOrQueueFull"    // Handshake: SYN-ACK, but the final ACK changed nothing
	Altered               Reason = "Altered"               // Handshake: the answer acknowledges a number that was not sent
	ReverseRstZeroDropped Reason = "ReverseRstZeroDropped" // Handshake: an RST comes back unless its sequence number is 0
	SequenceZeroDropped   Reason = "SequenceZeroDropped"   // SequenceWrap: exactly the segment at sequence 0 is lost
	SequenceZeroLossy     Reason = "SequenceZeroLossy"     // SequenceWrap: over all flows, segments at sequence 0 are lost more often than others
	AckZeroDropped        Reason = "AckZeroDropped"        // SequenceWrap: answers that acknowledge exactly 0 are lost on the way back
	FinIgnored            Reason = "FinIgnored"            // FinReorder: the peer ignored a FIN that an ACK had overtaken
	QueueOverflowed       Reason = "QueueOverflowed"       // AcceptQueue: connections were dropped within the cap
)

// Reasons of Inconclusive that the prober itself gives.
const (
	PathDown         Reason = "PathDown"         // handshake or control never answered
	PathLossy        Reason = "PathLossy"        // too much other loss to blame the suspect
	HandshakeAckLost Reason = "HandshakeAckLost" // SequenceWrap: the final ACK at 0 has no effect; data completes the handshake all the same
	StateTracking    Reason = "StateTracking"    // segments with these flags are lost at every number: no rule about sequence 0
	PeerDidNotClose  Reason = "PeerDidNotClose"  // FinReorder: the trigger did not make the peer close first
	NotIsolated      Reason = "NotIsolated"      // the suspect is lost, and so are its bytes elsewhere
	PeerReset        Reason = "PeerReset"        // the peer reset the connection before a verdict, twice
	StaleState       Reason = "StaleState"       // the peer still holds an older connection of this 4-tuple, on several ports
	GuardUnavailable Reason = "GuardUnavailable" // neither TCX nor clsact could be attached
	GuardIncomplete  Reason = "GuardIncomplete"  // the guard did not take every segment that the tap saw
	AsymmetricReturn Reason = "AsymmetricReturn" // the answer came in by another device
	DeadlineExceeded Reason = "DeadlineExceeded" // the run's deadline came before a verdict
	ProberFault      Reason = "ProberFault"      // the prober could not do its work; the message says what failed
	ProberKilled     Reason = "ProberKilled"     // the worker or its container was killed
)
