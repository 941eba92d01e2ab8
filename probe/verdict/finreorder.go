package verdict

import (
	"fmt"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Closing is the observation of one flow of FinReorder over all of its connections.
type Closing struct {
	Observation
	Unheard    bool          // the peer never acknowledged the trigger's data
	NotClosed  bool          // the trigger did not make the peer close
	TooLong    bool          // the reason is that it sent more data than allowed
	Received   int           // bytes that came in order from a peer that did not close
	Gap        bool          // bytes after these never came, while later ones did
	Control    FinAnswer     // answer to the FIN in order
	Overtaken  FinAnswers    // number of answers to FINs that an ACK had overtaken, by kind, one for each connection
	Again      Count         // FINs in order after an overtaken one that drew an RST; Lost were not accepted
	ResetByAck int           // RSTs that the overtaking ACK drew, before the FIN came
	ResetOf    Count         // all connections; Lost are those that the peer reset instead of closing
	Stall      time.Duration // longest time from an ignored FIN to the acknowledgement of its repetition
}

// FinAnswer is the answer to a FIN and its repetitions.
type FinAnswer int

// Answers to a FIN.
const (
	FinSilent   FinAnswer = iota // no answer, nor to repetitions
	FinAccepted                  // acknowledged
	FinIgnored                   // an ACK without it; accepted with the current acknowledgement number
	FinUnheard                   // no answer; with the current acknowledgement number it was accepted at once
	// an ACK that does not acknowledge it; repeated after half a second, unchanged, it was accepted
	FinLate
	// no answer; repeated after half a second, unchanged, it was accepted: either the first one or its answer was lost,
	// or it was ignored and the application has closed the connection meanwhile
	FinRepeated
	FinRefused // an ACK that does not acknowledge it, with either acknowledgement number
	FinReset   // RST
	FinVoid    // the peer repeated its own FIN: the overtaking ACK never arrived
)

// FinAnswers counts answers by kind.
type FinAnswers map[FinAnswer]int

// enoughIgnored is how many connections must have ignored the FIN. A single one may be an error: the FIN was lost, and
// the ACK answered something else, such as a late copy of the SYN.
const enoughIgnored = 2

// enoughUnheard is how many connections must have given no answer at all to the FIN. If 20 % is lost in each direction,
// one connection gives no answer to four FINs in a row with probability 2 %.
const enoughUnheard = 3

// enoughReset is how many connections must have been reset once an ACK had overtaken the FIN, and as many closed in
// order between them. By chance that happens at most once in a thousand flows, whatever the share that is reset: 4^-5.
const enoughReset = 5

// Decided reports whether further connections would not change the verdict.
func (c *Closing) Decided() bool { return c.Overtaken.decided() || c.resets() }

// resets reports whether the peer resets each connection whose FIN an ACK has overtaken, and none that closes in order.
func (c *Closing) resets() bool {
	return c.Overtaken[FinReset] >= enoughReset && c.Overtaken.judged() == 0 && c.Again.Sent >= enoughReset &&
		c.Again.Lost == 0
}

// decided reports whether two connections ignored the FIN, or those that accepted it outweigh one that seemed to ignore
// it, or none gives an answer.
func (a FinAnswers) decided() bool { return a.Ignored() || a.accepted() || a.unheard() || a.late() }

// Ignored reports whether enough connections ignored the FIN.
func (a FinAnswers) Ignored() bool { return a[FinIgnored] >= enoughIgnored }

func (a FinAnswers) accepted() bool {
	return a[FinAccepted] > 2*a[FinIgnored] && a[FinAccepted] > a[FinReset]
}

func (a FinAnswers) unheard() bool {
	return a[FinUnheard] >= enoughUnheard && a[FinUnheard] == a.judged()
}

func (a FinAnswers) late() bool { return a[FinLate] >= enoughLate && a.judged() == 0 }

// judged returns the number of connections that showed a result.
func (a FinAnswers) judged() int { return a[FinIgnored] + a[FinAccepted] + a[FinUnheard] }

// enoughLate is how many connections must have accepted the FIN late for that result.
const enoughLate = 3

// closingRule examines one aspect. ok is false if the rule does not apply.
type closingRule func(*Closing) (f Finding, ok bool)

var finReorderRules = []closingRule{finResetOnAccept, finPathDown, finPeerReset, notClosed, finControl, finReset,
	finIgnored, finAccepted, finUnheard, finLate, finLossy}

// FinReorder returns the finding for a flow of the scenario FinReorder.
func FinReorder(c *Closing) Finding {
	for _, r := range firstRules {
		if f, ok := r(&c.Observation); ok {
			return f
		}
	}
	for _, r := range finReorderRules {
		if f, ok := r(c); ok {
			return f
		}
	}
	panic("verdict: the last rule of a chain must always decide")
}

func finResetOnAccept(c *Closing) (Finding, bool) { return resetOnAccept(&c.Observation) }

func finPathDown(c *Closing) (Finding, bool) {
	if c.Unheard {
		return when(true, report.Inconclusive, report.PathDown,
			"the connection was opened, but the trigger's text was never acknowledged; see Handshake")
	}
	return when(c.Control != FinAccepted && c.Opening.Answer != conn.SynAck, report.Inconclusive, report.PathDown,
		"no connection could be opened (%s), so nothing is known about the peer's closing; see Handshake", c.Opening.Answer)
}

func finPeerReset(c *Closing) (Finding, bool) {
	return when(c.PeerReset, report.Inconclusive, report.PeerReset,
		"the peer reset %d of %d connections instead of closing them: its application closes with unread data, or another "+
			"trigger is needed", c.ResetOf.Lost, c.ResetOf.Sent)
}

func finReset(c *Closing) (Finding, bool) {
	n := c.Overtaken[FinReset]
	return when(c.resets(), report.Inconclusive, report.FinReset,
		"the peer accepts a FIN in order, on %d of %d connections between these, but resets once an ACK has overtaken it, "+
			"on %d of %d: %d times on the ACK, before the FIN came; such a close ends in an error instead of a stall; %s. "+
			"gVisor's stack does so after close(), and no kernel of Linux is known to",
		c.Again.Sent, c.Again.Sent, n, n, c.ResetByAck, Sender(c.Resets.Received))
}

func notClosed(c *Closing) (Finding, bool) {
	if c.TooLong {
		return when(c.NotClosed, report.Inconclusive, report.PeerDidNotClose,
			"the peer answered the trigger with more than a megabyte without closing: name a smaller resource")
	}
	return when(c.NotClosed, report.Inconclusive, report.PeerDidNotClose,
		"the peer did not close within ten seconds of the trigger, %s", c.received())
}

// received says what came from a peer that did not close, and what to do about it.
func (c *Closing) received() string {
	switch {
	case c.Gap:
		return fmt.Sprintf("as far as is seen: after %d bytes some are missing that never came, while later ones did, so "+
			"its FIN is out of reach; long segments may be lost on the way back: ask PathMTU", c.Received)
	case c.Received > 0:
		return fmt.Sprintf("and after %d bytes no more came: choose another trigger; or, if the answer should be longer, "+
			"long segments may be lost on the way back: ask PathMTU", c.Received)
	}
	return "and nothing came: choose another trigger"
}

// finControl applies if even the FIN in order was not accepted.
func finControl(c *Closing) (Finding, bool) {
	switch c.Control {
	case FinAccepted:
		return Finding{}, false
	case FinSilent:
		return when(true, report.Inconclusive, report.PathDown,
			"a FIN in order, before any overtaking ACK, drew no answer either: FINs are lost on the way, whatever their order")
	}
	return when(true, report.Inconclusive, report.NotIsolated,
		"the peer ignores a FIN in order, before any overtaking ACK, as well: this is no matter of the order")
}

func finIgnored(c *Closing) (Finding, bool) {
	return when(c.Overtaken.Ignored(), report.Fail, report.FinIgnored,
		"on %d of %d connections the peer ignored a FIN that an ACK had overtaken: the close stalls for %d ms "+
			"(modelled on Linux's minimum RTO). Cure: a kernel with \"tcp: accept old ack during closing\" "+
			"(795a7dfbc3d9, mainline 6.9, also in stable trees), or close() instead of shutdown()",
		c.Overtaken[FinIgnored], c.Overtaken.judged(), c.Stall.Milliseconds())
}

func finAccepted(c *Closing) (Finding, bool) {
	return when(c.Overtaken.accepted(), report.Pass, report.FinAccepted,
		"the FIN that an ACK had overtaken was accepted: this application's way of closing is not affected; "+
			"it does not show that the kernel is fixed, since an affected one also accepts it after close()")
}

func finUnheard(c *Closing) (Finding, bool) {
	return when(c.Overtaken.unheard(), report.Inconclusive, report.NotIsolated,
		"a FIN that an ACK had overtaken drew no answer on %d connections, and the same FIN with the "+
			"current acknowledgement was accepted: a firewall on the way drops it as invalid, or the peer ignores it "+
			"without a word", c.Overtaken[FinUnheard])
}

func finLate(c *Closing) (Finding, bool) {
	return when(c.Overtaken.late(), report.Inconclusive, report.NotIsolated,
		"on %d connections the peer answered a FIN that an ACK had overtaken as if it had not come, and accepted it "+
			"half a second later: its application may have closed the connection meanwhile, after which every kernel "+
			"accepts it", c.Overtaken[FinLate])
}

func finLossy(c *Closing) (Finding, bool) {
	return when(true, report.Inconclusive, report.PathLossy,
		"too much was lost to judge: of the connections with an overtaken FIN %d accepted it, %d ignored it, "+
			"%d were reset and %d showed nothing",
		c.Overtaken[FinAccepted], c.Overtaken[FinIgnored], c.Overtaken[FinReset],
		c.Overtaken[FinSilent]+c.Overtaken[FinVoid]+c.Overtaken[FinUnheard]+c.Overtaken[FinLate]+
			c.Overtaken[FinRepeated])
}
