// Code generated from package reason. DO NOT EDIT.

package report

// Reasons of Pass.
const (
	// Handshake: the peer proved that its connection exists
	Established Reason = "Established"
	// SequenceWrap: the suspect was acknowledged
	Delivered Reason = "Delivered"
	// FinReorder: the FIN that an ACK had overtaken was accepted
	FinAccepted Reason = "FinAccepted"
	// AcceptQueue: nothing overflowed within the cap
	NotReached Reason = "NotReached"
	// PathMTU: segments of all lengths that may be sent were acknowledged
	SizesArrived Reason = "SizesArrived"
	// PathMTU: longer segments draw an ICMP error, and those of the MTU it names arrive
	PathMTUSignaled Reason = "PathMTUSignaled"
	// IdleTimeout: connections survive as much silence as was asked
	IdleHeld Reason = "IdleHeld"
	// IdleTimeout: connections survive, and the target itself sends keep-alives
	PeerKeepsAlive Reason = "PeerKeepsAlive"
)

// Reasons of Fail.
const (
	// Handshake: RST in answer to the SYN
	Refused Reason = "Refused"
	// Handshake: no answer from two source ports
	Filtered Reason = "Filtered"
	// Handshake: SYNs are ignored, other segments to the port are answered
	QueueFullOrSynFiltered Reason = "QueueFullOrSynFiltered"
	// Handshake: an ICMP error; the message has its code
	Unreachable Reason = "Unreachable"
	// Handshake: SYN-ACK, but the final ACK changed nothing
	AckLostOrQueueFull Reason = "AckLostOrQueueFull"
	// Handshake: the first SYN of each connection is lost
	SynLost Reason = "SynLost"
	// Handshake: the first SYN-ACK of each connection is lost
	SynAckLost Reason = "SynAckLost"
	// Handshake: the answer acknowledges a number that was not sent
	Altered Reason = "Altered"
	// Handshake: an RST comes back unless its sequence number is 0
	ReverseRstZeroDropped Reason = "ReverseRstZeroDropped"
	// SequenceWrap: exactly the segment at sequence 0 is lost
	SequenceZeroDropped Reason = "SequenceZeroDropped"
	// SequenceWrap: lost at 0 and at numbers like it
	NumbersAlikeDropped Reason = "NumbersAlikeDropped"
	// SequenceWrap: segments at 0 arrive later than others
	SequenceZeroDelayed Reason = "SequenceZeroDelayed"
	// SequenceWrap: each connection's first at 0 is lost
	SequenceZeroFirstDropped Reason = "SequenceZeroFirstDropped"
	// SequenceWrap: segments at 0 are lost by their length
	SequenceZeroDroppedBySize Reason = "SequenceZeroDroppedBySize"
	// SequenceWrap: segments at 0 are lost by the timestamps option
	SequenceZeroDroppedByOptions Reason = "SequenceZeroDroppedByOptions"
	// SequenceWrap: lost more often at 0, but not always
	SequenceZeroLossy Reason = "SequenceZeroLossy"
	// SequenceWrap: exactly the segment at sequence 0 draws an RST
	ResetAtZero Reason = "ResetAtZero"
	// SequenceWrap: the kernel's connections stall at 0
	SequenceZeroStalled Reason = "SequenceZeroStalled"
	// SequenceWrap: the kernel's connections die at 0
	SequenceZeroDied Reason = "SequenceZeroDied"
	// SequenceWrap: what is beyond the wrap at 2^32 is lost
	WrapDropped Reason = "WrapDropped"
	// SequenceWrap: lost beyond the wrap until what is before is acknowledged
	WrapWindowDropped Reason = "WrapWindowDropped"
	// SequenceWrap: segments are lost that end at the wrap or beyond it
	WrapEndDropped Reason = "WrapEndDropped"
	// SequenceWrap: answers that acknowledge exactly 0 are lost
	AckZeroDropped Reason = "AckZeroDropped"
	// SequenceWrap: the target's own segment at sequence 0 is lost on the way back
	PeerZeroDropped Reason = "PeerZeroDropped"
	// FinReorder: the peer ignored a FIN that an ACK had overtaken
	FinIgnored Reason = "FinIgnored"
	// PathMTU: longer segments vanish, and no ICMP error helps
	PathMTUBlackhole Reason = "PathMTUBlackhole"
	// PathMTU: segments of a length are lost, longer ones arrive
	SizeDropped Reason = "SizeDropped"
	// IdleTimeout: what idle connections send vanishes
	IdleDropped Reason = "IdleDropped"
	// IdleTimeout: idle connections are ended by RST or FIN, one that is used is not
	IdleReset Reason = "IdleReset"
	// AcceptQueue: connections were dropped within the cap
	QueueOverflowed Reason = "QueueOverflowed"
)

// Reasons of Inconclusive that the prober itself gives.
const (
	// handshake or control never answered
	PathDown Reason = "PathDown"
	// too much other loss to blame the suspect
	PathLossy Reason = "PathLossy"
	// the port accepted connections, and refuses all since
	ListenerGone Reason = "ListenerGone"
	// Handshake: fails beside other connections, and never alone
	ConnectionLimit Reason = "ConnectionLimit"
	// AcceptQueue: new SYNs are rejected, handshakes in progress are not
	SynLimited Reason = "SynLimited"
	// AcceptQueue: connections are rejected by a queue or by a limit
	QueueOrLimit Reason = "QueueOrLimit"
	// SequenceWrap: crafted flows pass, kernel connections seem to suffer
	KernelDisagrees Reason = "KernelDisagrees"
	// SequenceWrap: suspects were lost far more often than controls
	LossUnexplained Reason = "LossUnexplained"
	// SequenceWrap: the target could not be made to send at sequence 0
	PeerZeroNotAsked Reason = "PeerZeroNotAsked"
	// SequenceWrap: the final ACK at 0 has no effect; data has
	HandshakeAckLost Reason = "HandshakeAckLost"
	// segments with these flags are lost at every number
	StateTracking Reason = "StateTracking"
	// FinReorder: the trigger did not make the peer close first
	PeerDidNotClose Reason = "PeerDidNotClose"
	// FinReorder: the peer resets once an ACK has overtaken its FIN
	FinReset Reason = "FinReset"
	// what would prove that the path lives is not answered
	NoProofOfLife Reason = "NoProofOfLife"
	// IdleTimeout: the application closes connections, idle or not
	PeerClosed Reason = "PeerClosed"
	// the suspect is lost, and so are its bytes elsewhere
	NotIsolated Reason = "NotIsolated"
	// the peer speaks first, and has got as many connections as it may
	PeerSpeaksFirst Reason = "PeerSpeaksFirst"
	// the application resets each connection that it accepts
	ResetOnAccept Reason = "ResetOnAccept"
	// the peer reset the connection before a verdict, twice
	PeerReset Reason = "PeerReset"
	// the peer still holds older connections of these ports
	StaleState Reason = "StaleState"
	// neither TCX nor clsact could be attached
	GuardUnavailable Reason = "GuardUnavailable"
	// the guard did not take every segment that the tap saw
	GuardIncomplete Reason = "GuardIncomplete"
	// the answer came in by another device, where it is not taken
	AsymmetricReturn Reason = "AsymmetricReturn"
	// the run's deadline came before a verdict
	DeadlineExceeded Reason = "DeadlineExceeded"
	// the prober could not do its work; the message says what failed
	ProberFault Reason = "ProberFault"
	// the worker or its container was killed
	ProberKilled Reason = "ProberKilled"
)
