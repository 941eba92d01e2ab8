// Code generated from package reason. DO NOT EDIT.

package report

// Reasons of Pass.
const (
	Established Reason = "Established" // Handshake: the peer proved that its connection exists
	Delivered   Reason = "Delivered"   // SequenceWrap: the suspect was acknowledged
	FinAccepted Reason = "FinAccepted" // FinReorder: the FIN that an ACK had overtaken was accepted
	NotReached  Reason = "NotReached"  // AcceptQueue: nothing overflowed within the cap
)

// Reasons of Fail.
const (
	Refused                      Reason = "Refused"                      // Handshake: RST in answer to the SYN
	Filtered                     Reason = "Filtered"                     // Handshake: no answer from two source ports
	QueueFullOrSynFiltered       Reason = "QueueFullOrSynFiltered"       // Handshake: SYNs are ignored, other segments to the port are answered
	Unreachable                  Reason = "Unreachable"                  // Handshake: an ICMP error; the message has its code
	AckLostOrQueueFull           Reason = "AckLostOrQueueFull"           // Handshake: SYN-ACK, but the final ACK changed nothing
	Altered                      Reason = "Altered"                      // Handshake: the answer acknowledges a number that was not sent
	ReverseRstZeroDropped        Reason = "ReverseRstZeroDropped"        // Handshake: an RST comes back unless its sequence number is 0
	SequenceZeroDropped          Reason = "SequenceZeroDropped"          // SequenceWrap: exactly the segment at sequence 0 is lost
	SequenceZeroDelayed          Reason = "SequenceZeroDelayed"          // SequenceWrap: segments at 0 arrive later than others
	SequenceZeroFirstDropped     Reason = "SequenceZeroFirstDropped"     // SequenceWrap: each connection's first at 0 is lost
	SequenceZeroDroppedBySize    Reason = "SequenceZeroDroppedBySize"    // SequenceWrap: segments at 0 are lost by their length
	SequenceZeroDroppedByOptions Reason = "SequenceZeroDroppedByOptions" // SequenceWrap: segments at 0 are lost by the timestamps option
	SequenceZeroLossy            Reason = "SequenceZeroLossy"            // SequenceWrap: lost more often at 0, but not always
	ResetAtZero                  Reason = "ResetAtZero"                  // SequenceWrap: exactly the segment at sequence 0 draws an RST
	SequenceZeroStalled          Reason = "SequenceZeroStalled"          // SequenceWrap: only the kernel's connections stall
	SequenceZeroDied             Reason = "SequenceZeroDied"             // SequenceWrap: only the kernel's connections die
	WrapDropped                  Reason = "WrapDropped"                  // SequenceWrap: what is beyond the wrap at 2^32 is lost
	WrapWindowDropped            Reason = "WrapWindowDropped"            // SequenceWrap: lost beyond the wrap until what is before is acknowledged
	WrapEndDropped               Reason = "WrapEndDropped"               // SequenceWrap: segments are lost that end at the wrap or beyond it
	AckZeroDropped               Reason = "AckZeroDropped"               // SequenceWrap: answers that acknowledge exactly 0 are lost
	FinIgnored                   Reason = "FinIgnored"                   // FinReorder: the peer ignored a FIN that an ACK had overtaken
	QueueOverflowed              Reason = "QueueOverflowed"              // AcceptQueue: connections were dropped within the cap
)

// Reasons of Inconclusive that the prober itself gives.
const (
	PathDown         Reason = "PathDown"         // handshake or control never answered
	PathLossy        Reason = "PathLossy"        // too much other loss to blame the suspect
	ListenerGone     Reason = "ListenerGone"     // the port accepted connections, and refuses all since
	ConnectionLimit  Reason = "ConnectionLimit"  // Handshake: fails beside other connections, and never alone
	SynLimited       Reason = "SynLimited"       // AcceptQueue: new SYNs are rejected, handshakes in progress are not
	QueueOrLimit     Reason = "QueueOrLimit"     // AcceptQueue: connections are rejected by a queue or by a limit
	KernelDisagrees  Reason = "KernelDisagrees"  // SequenceWrap: crafted flows pass, kernel connections seem to suffer
	HandshakeAckLost Reason = "HandshakeAckLost" // SequenceWrap: the final ACK at 0 has no effect; data has
	StateTracking    Reason = "StateTracking"    // segments with these flags are lost at every number
	PeerDidNotClose  Reason = "PeerDidNotClose"  // FinReorder: the trigger did not make the peer close first
	FinReset         Reason = "FinReset"         // FinReorder: the peer resets once an ACK has overtaken its FIN
	NoProofOfLife    Reason = "NoProofOfLife"    // SequenceWrap: after the suspect nothing is answered
	NotIsolated      Reason = "NotIsolated"      // the suspect is lost, and so are its bytes elsewhere
	PeerReset        Reason = "PeerReset"        // the peer reset the connection before a verdict, twice
	StaleState       Reason = "StaleState"       // the peer still holds older connections of these ports
	GuardUnavailable Reason = "GuardUnavailable" // neither TCX nor clsact could be attached
	GuardIncomplete  Reason = "GuardIncomplete"  // the guard did not take every segment that the tap saw
	AsymmetricReturn Reason = "AsymmetricReturn" // the answer came in by another device
	DeadlineExceeded Reason = "DeadlineExceeded" // the run's deadline came before a verdict
	ProberFault      Reason = "ProberFault"      // the prober could not do its work; the message says what failed
	ProberKilled     Reason = "ProberKilled"     // the worker or its container was killed
)
