package verdict

import (
	"errors"
	"fmt"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// MostUnfinished is how many connections one run opens to a target that is known to speak first. Three runs in a row
// stay below 100 then, after which MySQL and MariaDB lock a host out (max_connect_errors).
const MostUnfinished = 30

// ErrSpeaksFirst says that no more connections are opened to a target, because so many have been.
var ErrSpeaksFirst = errors.New("the run has opened as many connections as it may to a target that speaks first")

func speaksFirst(o *Observation) (Finding, bool) {
	return when(errors.Is(o.Fault, ErrSpeaksFirst), report.Inconclusive, report.PeerSpeaksFirst,
		"at this port, or with this preset, the peer speaks first, and many such servers lock out hosts that leave without "+
			"an answer: a run opens %d connections at most, and this question needs more", MostUnfinished)
}

// AskedLess says in words that a check had fewer flows than the plan has paths, for the same reason; nothing if it had
// as many.
func AskedLess(flows, paths int) string {
	if flows >= paths {
		return ""
	}
	return fmt.Sprintf("; %d flows instead of %d: the peer speaks first, and many such servers lock out hosts that leave "+
		"without an answer", flows, paths)
}
