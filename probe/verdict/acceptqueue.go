package verdict

import (
	"fmt"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Filling is the observation of one flow of AcceptQueue.
type Filling struct {
	Observation
	Cap             int          // number of connections that it may open
	Least           int          // established when the first one got no answer, or in total
	More            int          // established after that, from other source ports
	First           string       // behaviour towards the first connection beyond the queue: IgnoredSyn, IgnoredAck, Reset
	UnderWay        string       // behaviour towards a connection whose handshake was in progress; empty if it was completed
	Test            OverflowTest // test whether the first one was silent by chance
	InProgress      OverflowTest // test whether the handshake in progress came to nothing by chance
	Concurrent      bool         // a SYN was answered while another handshake was in progress
	SYNRefused      bool         // the first one's RST answered the SYN, not the final ACK
	OnEstablished   Count        // SYNs on established connections; lost are those without a challenge ACK
	Ignored         Count        // segments that open connections; lost are those without an answer
	Beacons         Count        // beacons on established connections meanwhile
	Ignoring        int          // how often segments of one were ignored in a row while all beacons were answered
	Before          int          // handshakes answered before the filling began
	SparesSilent    bool         // no source port that had been answered before is answered any more
	Refusals        int          // RSTs in a row to the first one
	BeaconsAnswered int          // answered beacons on established connections since
	SkippedPorts    int          // number of source ports given up because only they got no answer
	Asked           bool         // there was time to check whether the queue was freed
	Freed           bool         // a new connection was established after all others were reset
}

// Values of report.Queue.Behaviour: what happens to a connection beyond the queue.
const (
	IgnoredSyn = "IgnoredSyn" // its SYN gets no answer: clients see slow or failing connects
	// it gets a SYN-ACK, but its final ACK and data are ignored: clients see a connection that does not work
	IgnoredAck = "IgnoredAck"
	ResetIt    = "Reset" // it gets an RST
)

// EnoughRefusals is how many RSTs in a row are needed. Loss cannot cause an RST.
const EnoughRefusals = 3

// Rejected reports whether it is shown, beyond chance, that a connection got no place. A queue need not be the reason.
func (f *Filling) Rejected() bool {
	return f.Test.Significant() || f.Refusals >= EnoughRefusals && f.BeaconsAnswered > 0
}

// Overflowed reports whether a queue rejected the connection. A limiter of SYNs or of connections acts on SYNs alone,
// and a SYN proxy answers them all. Only the listener of a full queue rejects new SYNs and also the end of a handshake
// whose SYN it has answered.
func (f *Filling) Overflowed() bool {
	return f.Rejected() && f.rejectsSYNs() &&
		(f.UnderWay == ResetIt || f.InProgress.Significant() || f.smallestQueue())
}

// rejectsSYNs reports whether the SYNs of new connections are ignored or refused.
func (f *Filling) rejectsSYNs() bool {
	return f.First == IgnoredSyn || f.First == ResetIt && f.SYNRefused
}

// smallestQueue reports whether a listener with a backlog of 1 and without SYN cookies is full. It has room for one
// handshake and two connections (measured on Linux), so no handshake is in progress when its queue gets full.
func (f *Filling) smallestQueue() bool {
	const places = 2
	answered := f.OnEstablished.Sent - f.OnEstablished.Lost
	return f.First == IgnoredSyn && !f.Concurrent && f.Least == places && f.More == 0 && f.Asked && !f.Freed && answered > 0
}

// Behaviour returns the behaviour that clients notice first if there are two: a reset.
func (f *Filling) Behaviour() string {
	if f.UnderWay == ResetIt {
		return ResetIt
	}
	return f.First
}

// Most returns how many connections were established in total.
func (f *Filling) Most() int { return f.Least + f.More }

type fillingRule func(*Filling) (Finding, bool)

var acceptQueueRules = []fillingRule{overflowed, unattributed, neverBegun, ignoredMeanwhile, notReached, queuePathDown,
	queueReset, queueDied, newPortsIgnored, queueLossy}

// AcceptQueue judges the flow of the scenario AcceptQueue.
func AcceptQueue(f *Filling) Finding {
	for _, r := range firstRules {
		if found, ok := r(&f.Observation); ok {
			return found
		}
	}
	for _, r := range acceptQueueRules {
		if found, ok := r(f); ok {
			return found
		}
	}
	panic("verdict: the last rule of a chain must always decide")
}

func overflowed(f *Filling) (Finding, bool) {
	found, ok := when(f.Overflowed(), report.Fail, report.QueueOverflowed, "%s; %s%s: %s. %s",
		f.depth(), behaviours[f.First], underWay[f.UnderWay], f.certainty(), f.afterwards())
	found.Tested = f.Test.Significant()
	return found, ok
}

// unattributed is the finding for connections that got no place where nothing shows that a queue is the reason.
func unattributed(f *Filling) (Finding, bool) {
	reason := report.QueueOrLimit
	if f.Concurrent && f.limitsSYNs() {
		reason = report.SynLimited
	}
	found, ok := when(f.Rejected(), report.Inconclusive, reason, "after %d connections %s: %s. %s%s. %s",
		f.Most(), behaviours[f.First], f.certainty(), f.hypotheses(), f.later(), lookAtTarget)
	found.Tested = f.Test.Significant()
	return found, ok
}

// lookAtTarget says what distinguishes a full queue from a limit.
const lookAtTarget = "Look on the target: a full queue shows in `ss -lnt` (Recv-Q above Send-Q) and grows " +
	"`nstat -az TcpExtListenOverflows`; else look for what limits SYNs or connections on the way"

// limitsSYNs reports whether SYNs are rejected and no handshake in progress came to nothing.
func (f *Filling) limitsSYNs() bool { return f.rejectsSYNs() && f.UnderWay == "" }

func (f *Filling) hypotheses() string {
	switch {
	case f.limitsSYNs() && f.OnEstablished.Sent > 0 && f.OnEstablished.Lost == f.OnEstablished.Sent:
		return "SYNs on established connections get no answer either, and those do not reach the listener: something " +
			"limits SYNs, by their rate or their source"
	case f.limitsSYNs() && f.Concurrent:
		return "A handshake in progress was completed all the same, which a full queue does not allow: something limits " +
			"new connections, or the application accepts slowly"
	case f.rejectsSYNs() && f.UnderWay != "":
		return "A handshake in progress came to nothing too, as with a full queue, but chance is not excluded for it"
	case f.limitsSYNs():
		return "No handshake was in progress at that moment, which would tell: the queue is full, or something limits new " +
			"connections"
	}
	return "Its SYN was answered: the queue is full of a listener that answers SYNs all the same, or a SYN proxy answers " +
		"them and what is behind it takes no more connections"
}

// later says what a fresh connection met after all others were reset.
func (f *Filling) later() string {
	switch {
	case !f.Asked:
		return ""
	case f.Freed:
		return ". After all connections were reset a fresh one was established, as after a limit of connections at once"
	}
	return ". After all connections were reset a fresh one still was not established, as with an application that " +
		"accepts nothing, or a limit of the rate"
}

// neverBegun is the finding for SYNs that are ignored from the first connection on, although handshakes that were not
// completed had been answered before. Those fill no queue.
func neverBegun(f *Filling) (Finding, bool) {
	return when(f.Least == 0 && f.SparesSilent, report.Inconclusive, report.QueueOrLimit,
		"%d handshakes were answered, none of them completed, and since then SYNs get no answer: something limits SYNs, or "+
			"the queue became full without this probe. %s", f.Before, lookAtTarget)
}

// ignoredMeanwhile is the finding for connections that all were established, but of which segments were ignored more
// often than loss explains.
func ignoredMeanwhile(f *Filling) (Finding, bool) {
	const most = 0.01
	often := Fisher(f.Ignored.Lost, f.Ignored.Sent, f.Beacons.Lost, f.Beacons.Sent) <= most
	return when(f.Least >= f.Cap && (often || f.Ignoring > 0), report.Inconclusive, report.QueueOrLimit,
		"all %d connections were established, but %d of %d SYNs and final ACKs were ignored, of %d beacons on established "+
			"connections %d: the queue was full for moments (an application that accepts slowly), or something limits "+
			"SYNs. %s", f.Least, f.Ignored.Lost, f.Ignored.Sent, f.Beacons.Sent, f.Beacons.Lost, lookAtTarget)
}

var behaviours = map[string]string{
	IgnoredSyn: "the SYN of the next gets no answer",
	IgnoredAck: "the next gets a SYN-ACK, but its final ACK and its data count for nothing",
	ResetIt:    "the next is reset",
}

var underWay = map[string]string{
	IgnoredAck: ", a handshake that was under way comes to nothing",
	ResetIt:    ", a handshake that was under way is reset (on Linux: tcp_abort_on_overflow)",
}

func (f *Filling) depth() string {
	if f.More == 0 {
		return fmt.Sprintf("%d connections get a place, and no more", f.Least)
	}
	return fmt.Sprintf("after %d connections one gets no place, while %d more were established from other source ports: "+
		"several queues (SO_REUSEPORT), or an application that accepts slowly",
		f.Least, f.More)
}

func (f *Filling) certainty() string {
	if !f.Test.Significant() {
		return fmt.Sprintf("%d times in a row, while the established connections answer", f.Refusals)
	}
	return f.Test.String()
}

func (f *Filling) afterwards() string {
	if !f.Asked {
		return "The run ended before it could be seen whether a fresh connection is established now: only the " +
			"application's accept() frees the queue's slots"
	}
	if f.Freed {
		return "After all connections were reset a fresh one was established: the application accepts, but more slowly " +
			"than connections come"
	}
	return "After all connections were reset a fresh one still was not established: closing does not free the queue's " +
		"slots, only the application's accept() does, and it stays full until then"
}

func notReached(f *Filling) (Finding, bool) {
	note := ""
	if f.SkippedPorts > 0 {
		note = fmt.Sprintf("; %d further source ports were given up, since nothing answered there while others were answered",
			f.SkippedPorts)
	}
	return when(f.Least >= f.Cap, report.Pass, report.NotReached,
		"all %d connections were established: no queue overflows before that%s", f.Least, note)
}

func queuePathDown(f *Filling) (Finding, bool) {
	if f.PeerReset {
		return Finding{}, false
	}
	if f.Least > 0 {
		odd := f.Opening.Answer != conn.NoAnswer && f.Opening.Answer != conn.SynAck
		return when(odd, report.Inconclusive, report.PathDown, "after %d connections no further one could be opened (%s)",
			f.Least, f.Opening.Answer)
	}
	if f.Opening.Answer == conn.SynAck {
		return when(true, report.Inconclusive, report.PathDown,
			"SYN-ACKs came, but not one connection was established, so nothing is known about the queue: it may be full "+
				"already; see Handshake")
	}
	full := ""
	if f.Opening.Answer == conn.NoAnswer {
		full = "; a queue that is full already looks like this too"
	}
	return when(true, report.Inconclusive, report.PathDown,
		"no connection could be opened (%s), so nothing is known about the queue%s; see Handshake", f.Opening.Answer, full)
}

func queueReset(f *Filling) (Finding, bool) {
	return when(f.PeerReset, report.Inconclusive, report.PeerReset,
		"the peer resets connections by itself (%d were established), so an overflow could not be told from that", f.Least)
}

func queueDied(f *Filling) (Finding, bool) {
	return when(f.Test.Silence(), report.Inconclusive, report.PathDown,
		"after %d connections nothing is answered any more, neither new connections nor "+
			"what is sent on the established ones", f.Least)
}

// newPortsIgnored is the finding for new source ports that are ignored while those that were answered before still are
// answered. A connection table on the way takes those for known.
func newPortsIgnored(f *Filling) (Finding, bool) {
	const many = 4
	return when(f.SkippedPorts >= many, report.Inconclusive, report.SynLimited,
		"after %d connections SYNs get no answer from %d new source ports, while they are answered from ports that were "+
			"answered before: something that tracks connections limits new ones, or those ports' paths are down. %s",
		f.Least, f.SkippedPorts, lookAtTarget)
}

func queueLossy(f *Filling) (Finding, bool) {
	return when(true, report.Inconclusive, report.PathLossy,
		"after %d connections one went unanswered, but chance is not excluded: %s", f.Least, f.Test)
}
