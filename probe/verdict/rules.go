package verdict

import (
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Finding is a verdict with its reason and a message for users.
type Finding struct {
	Verdict report.Verdict
	Reason  report.Reason
	Message string
	Tested  bool // based on a statistical test, whose error is stated
	// OnlyZero is set if the same was seen to arrive at every kind of numbers that a rule about 0 may mean as well.
	OnlyZero bool
}

// observationRule examines one aspect. ok is false if the rule does not apply.
type observationRule func(*Observation) (f Finding, ok bool)

// firstRules are the rules that are tried first in every scenario. If one applies, the other observations are invalid.
var firstRules = []observationRule{speaksFirst, faulty, asymmetric, unguarded, expired}

var handshakeRules = append(slices.Clip(firstRules),
	resetOnAccept, established, proofReset, reverseReset, maybeLost, limited, refused, unreachable, altered, stale,
	queueFull, synIgnored, filtered)

var sequenceWrapRules = append(slices.Clip(firstRules),
	resetAtZero, zeroDelayed, droppedBySize, firstDropped, lossyInFlow, lossyFirsts, ackHeld, delivered,
	resetOnAccept, peerReset, pathDown, ackZeroDropped, wrapBroken, controlLost, unproven, stateTracking,
	zeroDropped, notIsolated, lossy)

var handshakeAckRules = append(slices.Clip(firstRules),
	delivered, resetOnAccept, peerReset, pathDown, finalAckLost, finalAckUnseen)

var closedPortRules = append(slices.Clip(firstRules),
	delivered, reverseReset, noClosedPort, stateTracking, zeroDropped, notIsolated, lossy)

var peerPushRules = append(slices.Clip(firstRules),
	peerDelivered, resetOnAccept, pathDown, peerNotAsked, peerZeroDropped, peerNotIsolated, peerUndecided)

// Handshake returns the finding for a flow of the scenario Handshake.
func Handshake(o *Observation) Finding { return judge(handshakeRules, o) }

// SequenceWrap returns the finding for a flow of the scenario SequenceWrap.
func SequenceWrap(o *Observation) Finding { return judge(sequenceWrapRules, o) }

// HandshakeAck returns the finding for a flow of SequenceWrap's variant HandshakeAck.
func HandshakeAck(o *Observation) Finding { return judge(handshakeAckRules, o) }

// PeerPush returns the finding for a flow of a variant of SequenceWrap that the peer sends.
func PeerPush(o *Observation) Finding { return judge(peerPushRules, o) }

// ClosedPort returns the finding for a flow of a variant of SequenceWrap that needs a closed port.
func ClosedPort(o *Observation) Finding { return judge(closedPortRules, o) }

func judge(rules []observationRule, o *Observation) Finding {
	for _, r := range rules {
		if f, ok := r(o); ok {
			return f
		}
	}
	panic("verdict: the last rule of a chain must always decide")
}

// when returns the finding if the condition holds.
func when(cond bool, v report.Verdict, r report.Reason, format string, args ...any) (Finding, bool) {
	if !cond {
		return Finding{}, false
	}
	return Finding{Verdict: v, Reason: r, Message: fmt.Sprintf(format, args...)}, true
}

// tested marks a finding as based on a confirmation block.
func tested(f Finding, ok bool) (Finding, bool) {
	f.Tested = ok
	return f, ok
}

func faulty(o *Observation) (Finding, bool) {
	return when(o.Fault != nil, report.Inconclusive, report.ProberFault, "the prober could not do its work: %v", o.Fault)
}

func asymmetric(o *Observation) (Finding, bool) {
	return when(o.Guard.Asymmetric(), report.Inconclusive, report.AsymmetricReturn,
		"%d answers came in by another device than the one that the SYN left by, where the prober has no guard",
		o.Guard.OtherDevice)
}

// RejectedReturn is the finding for a flow whose answers came in by a device by which the kernel does not take them.
func RejectedReturn(answers uint64, why string) Finding {
	f, _ := when(true, report.Inconclusive, report.AsymmetricReturn,
		"%d answers came in by %s. The SYN left by another device. Connections of this host fail in the same way: route "+
			"them and their answers by one device, or let the kernel take these", answers, why)
	return f
}

// unguarded finds what makes a flow's packets unreliable: segments that the local kernel got or sent, or packets that
// nobody read.
func unguarded(o *Observation) (Finding, bool) {
	g := o.Guard
	what := "the local kernel may have interfered"
	hint := "look for other tc programs on the device (tc filter show, bpftool net)"
	if g.Seen < g.Stolen || g.Overflow > 0 {
		hint = "this host was too busy to read them all, or the target sends more than is read; look at what it sends " +
			"(tcpdump), or ask for fewer packets a second"
		if g.Seen <= g.Stolen && g.ResetsDropped+g.KernelResets == 0 {
			what = "not all that arrived was read"
		}
	}
	return when(!g.Clean(), report.Inconclusive, report.GuardIncomplete,
		"%s, so nothing is concluded: %s; %s", what, g, hint)
}

func expired(o *Observation) (Finding, bool) {
	return when(o.Expired, report.Inconclusive, report.DeadlineExceeded, "the run's deadline came before a verdict")
}

func established(o *Observation) (Finding, bool) {
	note := ""
	if o.Proof.Deferred {
		note = " (deferredAccept: the listener completes a handshake only with data)"
	}
	return when(o.Proof.Established, report.Pass, report.Established, "the connection was established%s", note)
}

func proofReset(o *Observation) (Finding, bool) {
	return when(o.PeerReset, report.Inconclusive, report.PeerReset,
		"the peer answered the SYN and then reset the connection before showing that it exists")
}

func refused(o *Observation) (Finding, bool) {
	return when(o.Opening.Answer == conn.ResetAnswer, report.Fail, report.Refused,
		"an RST answered the SYN: nothing listens on the port, or a firewall rejects")
}

func unreachable(o *Observation) (Finding, bool) {
	if o.Opening.Answer == conn.NoNextHop {
		return when(true, report.Fail, report.Unreachable, "nothing could be sent: %v", o.Opening.Unresolved)
	}
	u := o.Opening.Unreachable
	if o.Opening.Answer != conn.ICMPError || u == nil {
		return Finding{}, false
	}
	return when(true, report.Fail, report.Unreachable, "%s answered %d SYNs with %s", u.From, o.Opening.Sent, u.Meaning())
}

func altered(o *Observation) (Finding, bool) {
	return when(o.Opening.Answer == conn.WrongAck, report.Fail, report.Altered,
		"the answers to SYNs acknowledge what was not sent, the last one %s: something on the path rewrites or invents "+
			"segments", o.Opening.Wrong)
}

func stale(o *Observation) (Finding, bool) {
	return when(o.Opening.Answer == conn.StaleAck, report.Inconclusive, report.StaleState,
		"on %d source ports the peer answered from an older connection; it was reset, try again", o.Ports)
}

func queueFull(o *Observation) (Finding, bool) {
	return tested(when(o.Opening.Answer == conn.SynAck, report.Fail, report.AckLostOrQueueFull,
		"SYN-ACKs came, but neither the final ACK nor data changed anything (%s): the listener's accept queue is full, or "+
			"ACKs are lost on the way to it (compare ListenOverflows on the target)", o.Silence))
}

func reverseReset(o *Observation) (Finding, bool) {
	return tested(when(o.ResetAny && o.Reverse.Significant(), report.Fail, report.ReverseRstZeroDropped,
		"the port is closed, but its RST has sequence number 0 and is lost on the way back: %d of %d RSTs at 0 were lost, "+
			"%d of %d at other numbers (p = %.1e)",
		o.Reverse.Suspects, o.Reverse.Suspects, o.Reverse.BeaconsLost, o.Reverse.Beacons, o.Reverse.P()))
}

// synIgnored is the finding for a port that ignores SYNs and answers other segments. The two reasons look the same from
// outside: the listener answers an ACK with RST as a host without firewall does.
func synIgnored(o *Observation) (Finding, bool) {
	return tested(when(o.ResetAny, report.Fail, report.QueueFullOrSynFiltered,
		"SYNs from %d source ports are ignored (%s), an ACK to the same port is answered with RST: the listener's accept "+
			"queue is full (an application that has stalled), or a firewall drops SYNs only. `ss -lnt` on the target shows a "+
			"full queue (Recv-Q above Send-Q), and `nstat -az TcpExtListenOverflows` grows with each SYN", o.Ports, o.Silence))
}

func filtered(o *Observation) (Finding, bool) {
	return tested(when(true, report.Fail, report.Filtered, "no answer to SYNs from %d source ports (%s)", o.Ports,
		o.Silence))
}

// maybeLost is the finding for a handshake that failed by silence where the path's own loss is not excluded.
func maybeLost(o *Observation) (Finding, bool) {
	silent := o.Opening.Answer == conn.NoAnswer || o.Opening.Answer == conn.SynAck
	what := "SYNs"
	if o.Opening.Answer == conn.SynAck {
		what = "data after the SYN-ACK"
	}
	return when(silent && !o.Silence.Significant(), report.Inconclusive, report.PathLossy,
		"no answer to %s, but the path's own loss is not excluded: %s", what, o.Silence)
}

// ListenerGone is the finding for a flow that was refused after the target had accepted so many connections of the run,
// and none since.
func ListenerGone(established int) Finding {
	f, _ := when(true, report.Inconclusive, report.ListenerGone,
		"the port held connections of this run (%d) and refuses all since: its server takes no more, as one that accepts "+
			"once, or it has ended. Start it again for each scenario, better so that it accepts in a loop",
		established)
	return f
}

// EnoughAlone is how often a connection must be established alone before a limit is to blame for its failure beside
// others.
const EnoughAlone = 3

// limited is the finding for a connection that failed beside others, and alone was established from the same port each
// time.
func limited(o *Observation) (Finding, bool) {
	return when(o.Alone >= EnoughAlone, report.Inconclusive, report.ConnectionLimit,
		"beside other connections of this probe the handshake failed (%s); from the same source port alone it succeeded %d "+
			"times in a row: "+limits, o.Beside, o.Alone)
}

// limits is what may have kept connections from coming about beside others.
const limits = "something limits concurrent or new connections of one client, or the accept queue is short"

// OpenedAlone is the note about flows that came to a connection only when nothing else was asked; empty if there are
// none.
func OpenedAlone(flows, of int) string {
	if flows == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of %d flows came to no connection beside others of this probe, and did alone, from the same "+
		"source port: %s", flows, of, limits)
}

// AnsweredLater is the finding for a flow whose SYNs were ignored, as those of others were for a while, and whose
// source port was answered later.
func AnsweredLater(f Finding) Finding {
	return Finding{Verdict: report.Inconclusive, Reason: report.ConnectionLimit,
		Message: f.Message + ". But most of the others needed several SYNs too, and asked again later, the same source " +
			"port was answered: " + limits}
}
