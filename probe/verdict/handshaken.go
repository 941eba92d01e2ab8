package verdict

import (
	"fmt"
	"time"
)

// Handshaken is how a handshake that was established went.
type Handshaken struct {
	SYNs   int           // SYNs until the SYN-ACK
	Waited time.Duration // from the first of them to the SYN-ACK
	Proved time.Duration // from the SYN-ACK until the peer had shown the connection
	Others Count         // segments after the SYN-ACK that an established connection answers
}

// repeated reports whether the SYN was repeated, and not only because each answer takes so long.
func (h Handshaken) repeated() bool { return h.SYNs > 1 && h.Proved < h.Waited/2 }

// A note's error, and from when on a SYN-ACK is slow: then a kernel has repeated its SYN.
const (
	noteError  = 0.01
	slowSYNACK = time.Second
)

// Note says how many handshakes needed more than one SYN, if other segments are not lost alike, and how long the
// slowest took. It is empty if there is nothing to say.
func Note(all []Handshaken) (note string) {
	var first, later Count
	var slowest time.Duration
	for _, h := range all {
		slowest = max(slowest, h.Waited)
		first.Sent++
		later = Count{later.Sent + h.Others.Sent, later.Lost + h.Others.Lost}
		if h.repeated() {
			first.Lost++
			later = Count{later.Sent + h.SYNs - 1, later.Lost + h.SYNs - 2}
		}
	}
	if first.Lost > 0 && Fisher(first.Lost, first.Sent, later.Lost, later.Sent) <= noteError {
		note = fmt.Sprintf("; %d of %d handshakes needed more than one SYN, though of all later segments only %d of %d got "+
			"no answer: first SYNs are dropped or answered late, and a real connection waits for that, or 1 s for its next SYN",
			first.Lost, first.Sent, later.Lost, later.Sent)
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
