package verdict

import (
	"fmt"
	"math"

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
	UnderWay        string       // behaviour towards a handshake in progress; empty if it was completed
	Test            OverflowTest // test whether the first one was silent by chance
	InProgress      OverflowTest // test whether the handshake in progress came to nothing by chance
	Concurrent      bool         // a SYN was answered while another handshake was in progress
	Overtook        int          // rejected SYNs of the first one before a handshake in progress was completed
	SYNRefused      bool         // the first one's RST answered the SYN, not the final ACK
	OnEstablished   Count        // SYNs on established connections; lost are those without a challenge ACK
	Ignored         Count        // segments that open connections; lost are those without an answer
	Beacons         Count        // beacons on established connections meanwhile
	Ignoring        int          // how often segments of one were ignored in a row while all beacons were answered
	Before          int          // handshakes answered before the filling began
	NoSpares        bool         // no source port could be asked before the filling: the target confirms no reset
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
	stalled := f.More == 0 && f.Asked && !f.Freed
	return f.First == IgnoredSyn && !f.Concurrent && f.Least == places && stalled && answered > 0
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
	queueReset, queueDied, queueUnconfirmed, newPortsIgnored, queueLossy}

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
	found, ok := when(f.Overflowed(), report.Fail, report.QueueOverflowed, "%s; %s%s. %s. Shown by: %s",
		f.depth(), behaviours[f.First], underWay[f.UnderWay], f.afterwards(), f.certainty())
	found.Tested = f.Test.Significant()
	return found, ok
}

// unattributed is the finding for connections that got no place where nothing shows that a queue is the reason.
func unattributed(f *Filling) (Finding, bool) {
	reason := report.QueueOrLimit
	if f.limitsSYNs() && f.completedInProgress() {
		reason = report.SynLimited
	}
	found, ok := when(f.Rejected(), report.Inconclusive, reason, "after %d connections %s: %s%s. %s%s. %s",
		f.Least, behaviours[f.First], f.certainty(), f.others(), f.hypotheses(), f.later(), lookAtTarget)
	found.Tested = f.Test.Significant()
	return found, ok
}

// completedInProgress reports whether a handshake in progress was completed although SYNs were rejected before. Ignored
// SYNs may also have been lost: the more often the path loses, the more of them are needed.
func (f *Filling) completedInProgress() bool {
	const unlikely = 0.01
	rate := float64(f.Beacons.Lost+1) / float64(f.Beacons.Sent+1)
	return f.Concurrent && f.Overtook > 0 && (f.SYNRefused || math.Pow(rate, float64(f.Overtook)) <= unlikely)
}

// limitsSYNs reports whether SYNs are rejected and no handshake in progress came to nothing.
func (f *Filling) limitsSYNs() bool { return f.rejectsSYNs() && f.UnderWay == "" }

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

// queueUnconfirmed is the finding for a connection that got no place, beyond the path's loss, where no port is known
// that would get one.
func queueUnconfirmed(f *Filling) (Finding, bool) {
	const most = 0.01
	silent := len(f.Test.Rounds)
	unlikely := Fisher(silent, silent, f.Beacons.Lost, f.Beacons.Sent) <= most
	return when(f.NoSpares && unlikely, report.Inconclusive, report.QueueOrLimit,
		"after %d connections one got no place. Whether a queue is full cannot be shown here: no reset was confirmed, so no "+
			"source port could be used before and asked again. %s", f.Least, lookAtTarget)
}

func queueLossy(f *Filling) (Finding, bool) {
	return when(true, report.Inconclusive, report.PathLossy,
		"after %d connections one went unanswered, but chance is not excluded: %s", f.Least, f.Test)
}
