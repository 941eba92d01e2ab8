package verdict

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// ResetTest asks, in fresh connections of the same ports in random order, whether the segment at 0 draws an RST and the
// same at another number does not. Of each Count, Lost are those that drew one.
type ResetTest struct {
	Zero, Others Count
	Received     []*conn.ReceivedReset // the RSTs to segments at 0, that of the first connection among them
	Elsewhere    bool                  // before the test, the same at another number drew one too
	Alpha        float64               // 0: not asked
	Done         bool                  // the whole block was sent
}

// P is the exact p-value that segments at 0 draw RSTs more often only by chance.
func (t ResetTest) P() float64 {
	return moreOftenP(t.Zero, t.Others)
}

// Significant reports whether chance is excluded.
func (t ResetTest) Significant() bool { return t.Done && t.P() <= t.Alpha }

// Hopeless reports whether the test can no longer exclude chance, or hardly.
func (t ResetTest) Hopeless() bool { return t.Others.Lost > 1 || t.Zero.Sent-t.Zero.Lost > 1 }

func resetAtZero(o *Observation) (Finding, bool) {
	t := &o.Resets
	if !t.Significant() {
		return Finding{}, false
	}
	return tested(when(true, report.Fail, report.ResetAtZero,
		"%s draws an RST, in %d of %d fresh connections in random order, at other numbers in %d of %d (p = %.1e)%s: %s",
		o.at(), t.Zero.Lost, t.Zero.Sent, t.Others.Lost, t.Others.Sent, t.P(), soon(t.Received), Sender(t.Received)))
}

// soon says how soon after the segment the RSTs came.
func soon(all []*conn.ReceivedReset) string {
	var longest time.Duration
	for _, r := range all {
		longest = max(longest, r.After)
	}
	return fmt.Sprintf(", within %s", millis(longest))
}

// Sender says who sent RSTs, as far as they show it.
func Sender(all []*conn.ReceivedReset) string {
	var foreign *conn.ReceivedReset
	held := 0
	for _, r := range all {
		if r.Held {
			held++
		}
		if r.OtherHopLimit() {
			foreign = r
		}
	}
	after := fmt.Sprintf("the peer held %d of %d of these connections still", held, len(all))
	switch {
	case foreign != nil && held > 0:
		return hopLimits(foreign) + " and " + after + ": a device on the way sent it"
	case foreign != nil:
		return hopLimits(foreign) + ": a device on the way sent it"
	case held > 0:
		return after + ": a device on the way sent it, with the peer's hop limit"
	}
	return "sent by the peer or something that looks like it" + otherTraits(all)
}

func hopLimits(r *conn.ReceivedReset) string {
	var peer []string
	for _, n := range r.Peer.List() {
		peer = append(peer, fmt.Sprint(n))
	}
	return fmt.Sprintf("the RST's hop limit (%d) differs from the peer's (%s)", r.HopLimit, strings.Join(peer, ", "))
}

// otherTraits names what else differs from RSTs that are the peer's own. It is no proof: a kernel has several ways of
// sending an RST.
func otherTraits(all []*conn.ReceivedReset) string {
	for _, r := range all {
		if r.Own == nil {
			continue
		}
		var differ []string
		for _, t := range []struct {
			what      string
			got, want int
		}{
			{"window", int(r.Window), int(r.Own.Window)},
			{"bytes of options", r.Options, r.Own.Options},
			{"IP ID", min(1, int(r.ID)), min(1, int(r.Own.ID))},
		} {
			if t.got != t.want {
				differ = append(differ, t.what)
			}
		}
		switch what := strings.Join(differ, " and "); len(differ) {
		case 0:
		case 1:
			return " (its " + what + " differs from an RST that is the peer's own, which proves nothing)"
		default:
			return " (its " + what + " differ from an RST that is the peer's own, which proves nothing)"
		}
	}
	return ""
}

// peerReset is a connection that an RST ended, or a FIN, where no number is shown to be the reason.
func peerReset(o *Observation) (Finding, bool) {
	r := o.Reset
	switch {
	case !o.PeerReset:
		return Finding{}, false
	case r.Foreign():
		return when(true, report.Inconclusive, report.PeerReset,
			"an RST ended the connection%s; %s", alsoElsewhere(o), Sender([]*conn.ReceivedReset{r}))
	case o.NoData:
		return when(true, report.Inconclusive, report.PeerReset,
			"the connection is reset although no data was sent: the application closes what it accepts, or a device resets it")
	}
	return when(true, report.Inconclusive, report.PeerReset,
		"the application closes the connection when it gets unfinished requests, with both payloads; set a payload that it "+
			"waits on")
}

// alsoElsewhere says what is known about RSTs at other numbers.
func alsoElsewhere(o *Observation) string {
	if t := o.Resets; t.Others.Sent > 0 {
		return fmt.Sprintf(" (at 0 %d of %d, at other numbers %d of %d: chance is not excluded)", t.Zero.Lost, t.Zero.Sent,
			t.Others.Lost, t.Others.Sent)
	}
	if o.Resets.Elsewhere {
		return " after a segment at 0, and another one after the same at another number"
	}
	if o.Reset.On == evidence.Suspect {
		return " after a segment at 0"
	}
	return ", not after a segment at 0"
}
