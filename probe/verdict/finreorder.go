package verdict

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Closing is what one flow of FinReorder saw, over all of its connections.
type Closing struct {
	Observation
	Unheard   bool          // the peer never acknowledged what the trigger sends
	NotClosed bool          // the trigger did not make the peer close
	TooLong   bool          // because it sent more than the flow takes in
	Control   FinAnswer     // to the FIN in order
	Overtaken FinAnswers    // to FINs that an ACK had overtaken, by connection
	Stall     time.Duration // the longest from an ignored FIN to its repetition's acknowledgement
}

// FinAnswer is what came back to a FIN, and to what was sent to learn more about it.
type FinAnswer int

// Answers to a FIN.
const (
	FinSilent   FinAnswer = iota // nothing, nor to its repetitions
	FinAccepted                  // acknowledged
	FinIgnored                   // an ACK without it; repeated with the current acknowledgement it was accepted
	FinUnheard                   // nothing; repeated with the current acknowledgement it was accepted at once
	// an ACK without it; repeated half a second later, with the same acknowledgement, it was accepted
	FinLate
	FinRefused // an ACK without it, whatever acknowledgement it carried
	FinReset   // RST
	FinVoid    // the peer repeated its own FIN: what should have overtaken ours never arrived
)

// FinAnswers counts answers.
type FinAnswers map[FinAnswer]int

// enoughIgnored is how many connections must have ignored the FIN. One could be the answer to something else,
// such as a SYN's late copy, with the FIN lost at the same time.
const enoughIgnored = 2

// enoughUnheard is how many connections must have said nothing at all to the FIN. One says nothing to four FINs in a
// row with 2 % where a fifth of everything is lost.
const enoughUnheard = 3

// Decided reports whether further connections would not change the verdict: two ignored the FIN, or the accepting
// ones outweigh a single one that seemed to, or none says anything.
func (a FinAnswers) Decided() bool { return a.Ignored() || a.accepted() || a.unheard() || a.late() }

// Ignored reports whether enough connections ignored the FIN.
func (a FinAnswers) Ignored() bool { return a[FinIgnored] >= enoughIgnored }

func (a FinAnswers) accepted() bool { return a[FinAccepted] > 2*a[FinIgnored] }

func (a FinAnswers) unheard() bool {
	return a[FinUnheard] >= enoughUnheard && a[FinUnheard] == a.judged()
}

func (a FinAnswers) late() bool { return a[FinLate] >= enoughLate && a.judged() == 0 }

// judged is the number of connections that showed something.
func (a FinAnswers) judged() int { return a[FinIgnored] + a[FinAccepted] + a[FinUnheard] }

// enoughLate is how many connections must have accepted the FIN late to say so.
const enoughLate = 3

// closingRule looks at one thing. ok is false where the rule has nothing to say.
type closingRule func(*Closing) (f Finding, ok bool)

var finReorderRules = []closingRule{finPathDown, finPeerReset, notClosed, finControl, finIgnored, finAccepted,
	finUnheard, finLate, finLossy}

// FinReorder judges a flow of the scenario FinReorder.
func FinReorder(c *Closing) Finding {
	for _, r := range believable {
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
		"the peer resets connections instead of closing them, on every attempt: its application closes with unread data, "+
			"or another trigger is needed")
}

func notClosed(c *Closing) (Finding, bool) {
	if c.TooLong {
		return when(c.NotClosed, report.Inconclusive, report.PeerDidNotClose,
			"the peer answered the trigger with more than a megabyte without closing: name a smaller resource")
	}
	return when(c.NotClosed, report.Inconclusive, report.PeerDidNotClose,
		"the trigger did not make the peer close first within ten seconds: choose another (onAccept, send, httpGet)")
}

// finControl rules out what has nothing to do with the order.
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
		"too much was lost to judge: of the connections with an overtaken FIN %d accepted it, %d ignored it "+
			"and %d showed nothing",
		c.Overtaken[FinAccepted], c.Overtaken[FinIgnored],
		c.Overtaken[FinSilent]+c.Overtaken[FinVoid]+c.Overtaken[FinUnheard]+c.Overtaken[FinLate])
}
