package labcmd

import (
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Flags of the segments below.
const (
	fin = segment.FIN
	syn = segment.SYN
	rst = segment.RST
	psh = segment.PSH
	ack = segment.ACK
	urg = segment.URG
)

// segmentPair is a segment of a probe and its reply.
type segmentPair struct{ sent, reply *segment.Segment }

// pairOf returns a pair. The first arguments are flags, sequence and acknowledgement number and length of the sent
// segment, the others are flags, sequence and acknowledgement number of the reply.
func pairOf(flags segment.Flags, at, acks int, length int, back segment.Flags, backAt, backAcks int) segmentPair {
	return segmentPair{
		&segment.Segment{Flags: flags, Seq: seq.At(uint32(at)), Ack: seq.At(uint32(acks)), Payload: make([]byte, length)},
		&segment.Segment{Flags: back, Seq: seq.At(uint32(backAt)), Ack: seq.At(uint32(backAcks))},
	}
}

// dropped returns the direction in which the switch always drops one of the pair; "" if it does not.
func (e segmentPair) dropped(f fault.Fault) fault.Direction {
	switch {
	case f.Drops(e.sent, fault.In):
		return fault.In
	case f.Drops(e.reply, fault.Out):
		return fault.Out
	}
	return ""
}

// comparison has the segments that a variant of SequenceWrap compares: pairs about the number 0, and similar pairs that
// must arrive for a verdict. It is derived from the protocol and not from the engine that it is used to test.
type comparison struct{ zero, others []segmentPair }

// Numbers without a special meaning, and the length of a connection's data.
const (
	peerNumber  = 1 << 30
	otherNumber = 1<<20 + 54321
	length      = 100
)

// wrappingConnection returns the comparison for a connection whose data ends at 0, where the suspect starts.
func wrappingConnection(flags segment.Flags, bytes, numbers int) comparison {
	return comparison{
		zero: []segmentPair{
			pairOf(flags, 0, peerNumber, bytes, ack, peerNumber, numbers),
			pairOf(psh|ack, -length, peerNumber, length, ack, peerNumber, 0),
		},
		others: []segmentPair{
			pairOf(flags, otherNumber, peerNumber, bytes, ack, peerNumber, otherNumber+numbers),
			pairOf(psh|ack, -1, peerNumber, length+1, ack, peerNumber, length),
		},
	}
}

// standalone returns the comparison of a segment with the same segment at another number. needed are pairs that must be
// exchanged before.
func standalone(zero, other segmentPair, needed ...segmentPair) comparison {
	return comparison{[]segmentPair{zero}, append(needed, other)}
}

// closedPort is the pair that shows that a port is closed: a SYN and an RST at 0.
var closedPort = pairOf(syn, otherNumber, 0, 0, rst|ack, 0, otherNumber+1)

// comparisons has all variants that can fail. HandshakeAck cannot, because any later data has the effect of the lost
// ACK.
var comparisons = map[string]comparison{
	"Push":       wrappingConnection(psh|ack, length, length),
	"UrgentPush": wrappingConnection(urg|psh|ack, length, length),
	"Data":       wrappingConnection(ack, length, length),
	"Fin":        wrappingConnection(fin|ack, 0, 1),
	"PushFin":    wrappingConnection(psh|fin|ack, length, length+1),
	"Straddle": standalone(pairOf(psh|ack, -length/2, peerNumber, length, ack, peerNumber, length/2),
		pairOf(psh|ack, -2*length, peerNumber, length, ack, peerNumber, -length)),
	"Ack": standalone(pairOf(ack, 0, peerNumber, 0, ack, peerNumber, 1),
		pairOf(ack, -length/2, peerNumber, 0, ack, peerNumber, 1),
		pairOf(psh|ack, otherNumber, peerNumber, length, ack, peerNumber, otherNumber+length)),
	"Reset": standalone(pairOf(rst|ack, 0, peerNumber, 0, ack, peerNumber, -2),
		pairOf(rst|ack, 2, peerNumber, 0, ack, peerNumber, -2)),
	"Syn": standalone(pairOf(syn, 0, 0, 0, syn|ack, peerNumber, 1),
		pairOf(syn, otherNumber, 0, 0, syn|ack, peerNumber, otherNumber+1)),
	"FinUrgPush": standalone(pairOf(fin|urg|psh, 0, 0, 0, rst|ack, 0, 1),
		pairOf(fin|urg|psh, otherNumber, 0, 0, rst|ack, 0, otherNumber+1),
		closedPort),
	"Null": standalone(pairOf(0, 0, 0, 1, rst|ack, 0, 1), pairOf(0, otherNumber, 0, 1, rst|ack, 0, otherNumber+1),
		closedPort),
	"PeerPush": standalone(pairOf(psh|ack, otherNumber, 0, length, psh|ack, 0, otherNumber),
		pairOf(psh|ack, otherNumber, -length, length, psh|ack, -length, otherNumber),
		pairOf(ack, otherNumber, length, 1, ack, length, otherNumber)),
	"AckZero": standalone(pairOf(ack, otherNumber, 0, 0, rst, 0, 0),
		pairOf(ack, otherNumber, otherNumber, 0, rst, otherNumber, 0), closedPort),
}

// expectedReason returns the reason with which a variant must fail under a fault; "" if it must not fail.
func expectedReason(f fault.Fault, variant string) report.Reason {
	if f.Impairment != nil {
		return expectedAtZero(f, variant)
	}
	c := comparisons[variant]
	if variant == "AckZero" && closedPort.dropped(f) == fault.Out && c.zero[0].dropped(f) == fault.Out &&
		c.others[1].dropped(f) == "" {
		return report.ReverseRstZeroDropped
	}
	for _, e := range c.others {
		if e.dropped(f) != "" {
			return ""
		}
	}
	for _, e := range c.zero {
		switch way := e.dropped(f); {
		case way == "":
		case variant == peerVariant && way == fault.Out:
			return report.PeerZeroDropped
		case variant == peerVariant: // what the target gets is not its own segment
		case way == fault.Out, variant == "AckZero":
			return report.AckZeroDropped
		case f.Rule.Place == fault.Multiples, f.Rule.Place == fault.UpTo:
			return report.NumbersAlikeDropped
		default:
			return report.SequenceZeroDropped
		}
	}
	return ""
}

// peerVariant is the variant whose suspect the target sends, with so many bytes.
const (
	peerVariant = "PeerPush"
	peerLength  = 64
)

// longestShort is more than the shortest data that a variant carries whose length varies, and less than all of one
// whose length does not.
const longestShort = 64

// expectedAtZero is the reason that a fault gives which does more to segments at 0 than to drop them by a rule. Some
// variants have data of many lengths, others always much or none.
func expectedAtZero(f fault.Fault, variant string) report.Reason {
	a := f.Impairment.AtZero
	length, varies := 0, true
	switch variant {
	case "Push", "UrgentPush", "Data":
	case "PushFin":
		length, varies = longestShort, false
	case "Fin", "FinUrgPush":
		varies = false
	case "Null":
		length, varies = 1, false
	case peerVariant:
		if f.Direction.Has(fault.Out) && (peerLength < a.Shorter || a.Longer > 0 && peerLength > a.Longer) {
			return report.PeerZeroDropped
		}
		return ""
	default:
		return ""
	}
	if a.Reset > 0 && f.Direction.Has(fault.In) {
		return report.ResetAtZero
	}
	crossing := comparisons[variant].zero[0].sent.Flags.Has(ack)
	switch {
	case !f.Direction.Has(fault.In):
	case varies && (a.Shorter > 0 || a.Longer > 0):
		return report.SequenceZeroDroppedBySize
	case a.Shorter > 0 && length < a.Shorter, a.Longer > 0 && length > a.Longer:
		return report.SequenceZeroDropped
	case crossing && a.First > 0:
		return report.SequenceZeroFirstDropped
	case crossing && a.Hold > 0:
		return report.SequenceZeroDelayed
	}
	return ""
}
