package verdict

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// EnoughOnAccept is how many connections the peer must reset on which nothing was sent.
const EnoughOnAccept = 3

// OnAccept is what became of connections on which nothing was sent after the handshake.
type OnAccept struct {
	Opened   int
	Received []*conn.ReceivedReset // RSTs that acknowledge the SYN alone, as an application's reset does
	Longest  time.Duration         // from the final ACK to the RST
}

// Resets reports whether each was reset, and by the peer as far as it shows.
func (a OnAccept) Resets() bool {
	return len(a.Received) >= EnoughOnAccept && len(a.Received) == a.Opened
}

// Accepting is shared by all flows to a target. The first one that is reset asks whether the application does that to
// each connection that it accepts; if so, no flow asks more. It is safe for concurrent use. nil asks nothing.
type Accepting struct {
	turn  chan struct{}
	asked bool // read and written in a turn
	found OnAccept
	known chan struct{} // closed once the peer is known to reset each connection
}

// NewAccepting knows nothing yet.
func NewAccepting() *Accepting {
	return &Accepting{turn: make(chan struct{}, 1), known: make(chan struct{})}
}

// Known returns what was found, if each connection is reset; nil otherwise, or if it is not known.
func (a *Accepting) Known() *OnAccept {
	if a == nil {
		return nil
	}
	select {
	case <-a.known:
		return &a.found
	default:
		return nil
	}
}

// Ask calls the test, once for all flows, and returns what Known does then.
func (a *Accepting) Ask(ctx context.Context, test func() OnAccept) *OnAccept {
	if a == nil {
		return nil
	}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-a.turn }()
	if !a.asked {
		found := test()
		a.asked = found.Opened > 0
		if found.Resets() {
			a.found = found
			close(a.known)
		}
	}
	return a.Known()
}

// ResetsOnAccept is the finding for a peer that resets each connection.
func ResetsOnAccept(a *OnAccept) Finding {
	f, _ := when(true, report.Inconclusive, report.ResetOnAccept,
		"the application resets each connection that it accepts: on %d of %d nothing was sent after the handshake, and an "+
			"RST came within %s that acknowledges no data; %s. No more is asked", len(a.Received), a.Opened,
		millis(a.Longest), Sender(a.Received))
	return f
}

func resetOnAccept(o *Observation) (Finding, bool) {
	if o.OnAccept == nil {
		return Finding{}, false
	}
	return ResetsOnAccept(o.OnAccept), true
}
