package verdict

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// PeerSegments is what became of data that the peer was made to send at its number 0.
type PeerSegments struct {
	NotAsked string          // why it could not be made to; "" if it could
	Asked    int             // connections in which it was asked to
	Sent     bool            // its acknowledgements show that it did
	Late     []time.Duration // how long it took where it came late
}

func peerDelivered(o *Observation) (Finding, bool) {
	note := ""
	if len(o.Peer.Late) > 0 {
		note = "; in a connection before it came after " + millis(o.Peer.Late[len(o.Peer.Late)-1]) +
			", as what is repeated after a loss"
	}
	return when(o.Delivered, report.Pass, report.Delivered, "%s came back%s", o.at(), note)
}

func peerNotAsked(o *Observation) (Finding, bool) {
	return when(o.Peer.NotAsked != "", report.Inconclusive, report.PeerZeroNotAsked,
		"not covered: %s was not asked about: %s", o.at(), o.Peer.NotAsked)
}

func peerZeroDropped(o *Observation) (Finding, bool) {
	if !o.LossConfirmed() || !o.Isolated {
		return Finding{}, false
	}
	b := o.Blocks[len(o.Blocks)-1]
	return tested(when(true, report.Fail, report.PeerZeroDropped,
		"%s is lost on the way back: its acknowledgements have the number behind it, so it was sent, and as many bytes "+
			"before and behind came; what is left unacknowledged there came %d times while the peer repeated it, of this "+
			"none, among %d beacons (%d lost), p = %.1e", o.at(), b.Suspects, b.Beacons, b.BeaconsLost, b.P()))
}

func peerNotIsolated(o *Observation) (Finding, bool) {
	return when(o.Peer.Sent && !o.Isolated, report.Inconclusive, report.NotIsolated,
		"%s was sent and did not come back, but nor did as many bytes behind it: not shown to be a matter of the number 0",
		o.at())
}

func peerUndecided(o *Observation) (Finding, bool) {
	switch {
	case len(o.Peer.Late) > 0:
		return when(true, report.Inconclusive, report.PathLossy,
			"%s came late, after %s: it was lost and repeated, or held back; that may be chance", o.at(),
			millis(o.Peer.Late[len(o.Peer.Late)-1]))
	case len(o.Blocks) > 0:
		return when(true, report.Inconclusive, report.PathLossy, "%s did not come back, but chance is not excluded: %s",
			o.at(), blocks(o.Blocks))
	}
	return when(true, report.Inconclusive, report.PathLossy,
		"%s did not come back, in %d connections, and nothing shows that it was sent", o.at(), o.Peer.Asked)
}
