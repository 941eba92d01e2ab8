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
	UnderWay        string       // behaviour towards the connection whose handshake was in progress; empty if none was
	Test            OverflowTest // test whether the first one was silent by chance
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

// Overflowed reports whether it is shown, beyond chance, that a connection did not get into the queue.
func (f *Filling) Overflowed() bool {
	return f.Test.Significant() || f.Refusals >= EnoughRefusals && f.BeaconsAnswered > 0
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

var acceptQueueRules = []fillingRule{overflowed, notReached, queuePathDown, queueReset, queueDied, queueLossy}

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
			"than connections come, or something on the way limits the connections of one client"
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

func queueLossy(f *Filling) (Finding, bool) {
	return when(true, report.Inconclusive, report.PathLossy,
		"after %d connections one went unanswered, but chance is not excluded: %s", f.Least, f.Test)
}
