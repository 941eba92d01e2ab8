package verdict

import (
	"fmt"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// at returns the suspect with its number: "data with PSH at sequence 0".
func (o *Observation) at() string {
	if o.ByAck || o.Across {
		return o.What
	}
	return o.What + " at sequence 0"
}

func delivered(o *Observation) (Finding, bool) {
	return when(o.Delivered, report.Pass, report.Delivered, "%s was answered%s", o.at(), o.firstMissing())
}

func ackHeld(o *Observation) (Finding, bool) {
	return when(o.AckHeld, report.Inconclusive, report.NotIsolated,
		"%s arrives, since the peer's SACK names its bytes, but each acknowledgement says that they are missing, which no "+
			"receiver says: something on the way changes acknowledgements, not shown to be a matter of the number 0; compare "+
			"captures at both ends", o.at())
}

// mostDelayedACK is how long a receiver may delay an acknowledgement (RFC 1122 section 4.2.3.2).
const mostDelayedACK = 500 * time.Millisecond

// firstMissing says what became of a first suspect that was missing when later segments had arrived.
func (o *Observation) firstMissing() string {
	switch {
	case !o.FirstLost, o.FirstUnasked && o.FirstLate > 0 && o.FirstLate <= mostDelayedACK && len(o.Repeats.Copies) == 0:
		return ""
	case o.Cut:
		return ", but only a part of the first one; it was not shown that others like it are lost more often than controls"
	case len(o.Repeats.Copies) > 0:
		n, others := o.Repeats.Count(true), o.Repeats.Count(false)
		return fmt.Sprintf(", the first one after %s; repeats of it are lost, %d of %d against %d of %d others (p = %.1e), "+
			"but the first of each fresh connection arrives: a real connection stalls if it has to repeat there",
			millis(o.FirstLate), n.Lost, n.Sent, others.Lost, others.Sent, o.Repeats.LossP())
	case o.FirstLate > 0:
		return fmt.Sprintf(", the first one after %s; it was not shown that others like it come late", millis(o.FirstLate))
	}
	return ", but the first one was lost; it was not shown that others like it are lost more often than controls"
}

func pathDown(o *Observation) (Finding, bool) {
	unanswered := o.Opening.Answer != conn.SynAck && o.OtherNumbers.Sent == 0
	return when(unanswered, report.Inconclusive, report.PathDown,
		"no connection could be opened (%s), so nothing is known about %s; see Handshake", o.Opening.Answer, o.at())
}

func noClosedPort(o *Observation) (Finding, bool) {
	if o.Opening.Answer == conn.SynAck {
		return when(true, report.Inconclusive, report.PathDown,
			"%s is asked about at a closed port, and all that were tried are open", o.at())
	}
	return when(o.Opening.Answer != conn.ResetAnswer, report.Inconclusive, report.PathDown,
		"%s is asked about at a closed port, and none refuses a SYN (%s): a firewall hides them, or RSTs at sequence 0 are "+
			"lost on the way back (variant AckZero tells)", o.at(), o.Opening.Answer)
}

func ackZeroDropped(o *Observation) (Finding, bool) {
	return o.besideAlike(tested(when(o.AckZero.Significant(), report.Fail, report.AckZeroDropped,
		"answers that acknowledge exactly 0 are lost on the way back: in each of %d connections it was that one, at a "+
			"random place among others (p = %.1e)",
		o.AckZero.Made, o.AckZero.P)))
}

func controlLost(o *Observation) (Finding, bool) {
	return when(o.Control.Sent > 0 && o.Control.Lost == o.Control.Sent, report.Inconclusive, report.PathDown,
		"all %d control segments, the same as the suspect but at another sequence number, went unanswered: this is no "+
			"matter of sequence 0", o.Control.Sent)
}

func unproven(o *Observation) (Finding, bool) {
	n := o.Unproven
	return when(n.Sent > 0, report.Inconclusive, report.NoProofOfLife,
		"%s went unanswered, and so did all %d segments that every peer answers, old bytes and new ones beyond it, though "+
			"the control before it was acknowledged: nothing shows whether the path lives", o.at(), n.Sent)
}

func stateTracking(o *Observation) (Finding, bool) {
	if o.Stuck {
		return when(true, report.Inconclusive, report.StateTracking,
			"%s went unanswered, and the RSTs that end a connection at its own number are not taken either, which is no "+
				"matter of the number 0", o.at())
	}
	allLost := o.OtherNumbers.Sent >= EnoughLost && o.OtherNumbers.Lost == o.OtherNumbers.Sent
	return when(allLost, report.Inconclusive, report.StateTracking,
		"%s went unanswered, and so did %d like it at other numbers: something on the path or the peer drops them all, "+
			"which is no matter of the number 0",
		o.at(), o.OtherNumbers.Lost)
}

func zeroDropped(o *Observation) (Finding, bool) {
	if !o.LossConfirmed() || !o.Isolated {
		return Finding{}, false
	}
	b := o.Blocks[len(o.Blocks)-1]
	if t := o.Resets; 2*t.Zero.Lost > t.Zero.Sent && t.Others.Lost == 0 {
		return tested(when(true, report.Fail, report.ResetAtZero,
			"%s draws an RST, %d of %d; at other numbers %d of %d do, and %d of %d are answered "+
				"as they should be (p = %.1e): %s",
			o.at(), t.Zero.Lost, t.Zero.Sent, t.Others.Lost, t.Others.Sent, b.Beacons-b.BeaconsLost, b.Beacons, b.P(),
			Sender(t.Received)))
	}
	reason, rest := report.SequenceZeroDropped, "; at another number it arrives"
	if o.Witnessed && o.OtherNumbers.Sent == 0 {
		rest = "; the peer's SACK names it missing; one number earlier it arrives"
	}
	if o.Ahead {
		rest += "; old bytes get no answer here, so the others are new ones beyond it"
	}
	if o.ByAck {
		reason, rest = report.AckZeroDropped, ", or the RST at sequence 0 that it draws, though one with ACK comes back; "+
			"of another number it is answered"
	}
	return o.besideAlike(tested(when(true, report.Fail, reason,
		"%s is lost: %d of %d between answered segments, then %d of %d among %d others (%d lost), p = %.1e%s",
		o.at(), o.Sandwich.Lost, o.Sandwich.Sent, b.Suspects, b.Suspects, b.Beacons, b.BeaconsLost, b.P(), rest)))
}

// besideAlike is a finding about the number 0 beside what became of numbers like it.
func (o *Observation) besideAlike(f Finding, ok bool) (Finding, bool) {
	if ok {
		if f.OnlyZero = o.Alike.Arrive(); o.Alike.Lost() {
			f.Reason = report.NumbersAlikeDropped
		}
		f.Message += o.Alike.String()
	}
	return f, ok
}

func notIsolated(o *Observation) (Finding, bool) {
	return when(o.LossConfirmed(), report.Inconclusive, report.NotIsolated,
		"%s is lost, but the same was not seen to arrive at other numbers, or seldom: not shown to be a matter of the "+
			"number 0", o.at())
}

// finalAckLost is Inconclusive and not Fail: data completes the handshake too, so this loss alone breaks no connection.
func finalAckLost(o *Observation) (Finding, bool) {
	return when(o.Isolated && o.Control.Lost > 0, report.Inconclusive, report.HandshakeAckLost,
		"%s was sent %d times and the connection stayed half-open, elsewhere it is established at once; the first data "+
			"completes the handshake all the same, so this is only a note",
		o.at(), o.Control.Sent)
}

func finalAckUnseen(o *Observation) (Finding, bool) {
	return when(true, report.Inconclusive, report.NotIsolated,
		"whether %s arrives cannot be seen: the peer names no duplicates, defers its accept until data comes, or its queue "+
			"is full", o.at())
}

func lossy(o *Observation) (Finding, bool) {
	return when(true, report.Inconclusive, report.PathLossy,
		"%s was not answered, but chance is not excluded: %d of %d suspects between answered segments lost, %s",
		o.at(), o.Sandwich.Lost, o.Sandwich.Sent, blocks(o.Blocks))
}

func blocks(all []Confirmation) string {
	if len(all) == 0 {
		return "too few for a confirmation"
	}
	b := all[len(all)-1]
	return fmt.Sprintf("confirmation undecided: %d suspects and %d of %d beacons lost (p = %.1e, needed %.1e)",
		b.Suspects, b.BeaconsLost, b.Beacons, b.P(), b.Alpha)
}
