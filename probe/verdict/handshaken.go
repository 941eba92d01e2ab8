package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Handshaken is how a handshake that was established went.
type Handshaken struct {
	SYNs    int           // SYNs until the SYN-ACK
	SYNACKs int           // SYN-ACKs until the peer had shown the connection
	Connect time.Duration // from the first SYN to the SYN-ACK
	Proved  time.Duration // from the SYN-ACK until the peer had shown the connection
	Others  Count         // segments after the SYN-ACK that an established connection answers
}

// repeated reports whether the SYN had to be repeated, and not only because each answer takes so long: then each SYN
// has a SYN-ACK of its own, and what follows takes as long.
func (h Handshaken) repeated() bool {
	return h.SYNs > 1 && h.SYNACKs < h.SYNs && h.Proved < h.Connect/2
}

// A note's error, and from when on a SYN-ACK is slow: then a kernel has repeated its SYN.
const (
	noteError  = 0.01
	slowSYNACK = time.Second
)

// Handshakes sums up how handshakes went; nil if there were none.
func Handshakes(all []Handshaken) *report.Handshakes {
	if len(all) == 0 {
		return nil
	}
	n := &report.Handshakes{Established: len(all)}
	var connects []time.Duration
	for _, h := range all {
		connects = append(connects, h.Connect)
		n.SYNsRepeated, n.SYNACKsRepeated = n.SYNsRepeated+h.SYNs-1, n.SYNACKsRepeated+max(h.SYNACKs-1, 0)
		if h.repeated() {
			n.Repeated++
		}
	}
	slices.Sort(connects)
	n.ConnectMicros = report.Delay{Median: connects[(len(connects)-1)/2].Microseconds(),
		Max: connects[len(connects)-1].Microseconds()}
	return n
}

// Note says how many handshakes needed more than one SYN, whether other segments are lost alike, and how long the
// slowest took. It is empty if there is nothing to say.
func Note(all []Handshaken) (note string) {
	var first, later Count
	var slowest time.Duration
	for _, h := range all {
		slowest = max(slowest, h.Connect)
		first.Sent++
		later = Count{later.Sent + h.Others.Sent, later.Lost + h.Others.Lost}
		if h.repeated() {
			first.Lost++
			later = Count{later.Sent + h.SYNs - 1, later.Lost + h.SYNs - 2}
		}
	}
	if first.Lost > 0 {
		note = fmt.Sprintf("; %d of %d handshakes needed more than one SYN", first.Lost, first.Sent)
		if Fisher(first.Lost, first.Sent, later.Lost, later.Sent) <= noteError {
			note += fmt.Sprintf(", though of all later segments only %d of %d got no answer: first SYNs, or their answers, are "+
				"dropped or late", later.Lost, later.Sent)
		}
		note += ". A client's kernel waits 1 s for its second SYN"
	}
	if slowest >= slowSYNACK {
		note += fmt.Sprintf("; the slowest SYN-ACK came %.1f s after the first SYN", slowest.Seconds())
	}
	return note
}

// BesideSilence is the finding of an ICMP error where so many flows of all got no answer of any kind.
func (f Finding) BesideSilence(silent, flows int) Finding {
	f.Message += fmt.Sprintf("; %d of %d flows got no answer at all", silent, flows)
	return f
}
