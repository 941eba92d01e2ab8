package verdict

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The complete messages about data that the peer sends at its number 0.
func TestPeerPushMessages(t *testing.T) {
	late := []time.Duration{100 * time.Millisecond, 210 * time.Millisecond}
	for name, c := range map[string]struct {
		change func(*Observation)
		reason report.Reason
		want   string
	}{
		"delivered": {func(o *Observation) { o.Delivered = true }, report.Delivered,
			"data from the peer at sequence 0 came back"},
		"delivered, once late": {func(o *Observation) { o.Delivered, o.Peer.Late = true, late }, report.Delivered,
			"data from the peer at sequence 0 came back; in a connection before it came after 210 ms, as what is " +
				"repeated after a loss"},
		"delivered, the one before late": {func(o *Observation) { o.Delivered, o.Peer.Late = true, late[1:] },
			report.Delivered, "data from the peer at sequence 0 came back; in a connection before it came after 210 ms, as " +
				"what is repeated after a loss"},
		"not asked": {func(o *Observation) { o.Peer.NotAsked = "it sends too little" }, report.PeerZeroNotAsked,
			"not covered: data from the peer at sequence 0 was not asked about: it sends too little"},
		"dropped": {func(o *Observation) { o.Peer.Sent, o.Blocks, o.Isolated = true, confirmed, true },
			report.PeerZeroDropped,
			"data from the peer at sequence 0 is lost on the way back: its acknowledgements have the number behind it, " +
				"so it was sent, and as many bytes before and behind came; what is left unacknowledged there came 10 times " +
				"while the peer repeated it, of this none, among 30 beacons (0 lost), p = 1.2e-09"},
		"not isolated": {func(o *Observation) { o.Peer.Sent, o.Blocks = true, confirmed }, report.NotIsolated,
			"data from the peer at sequence 0 was sent and did not come back, but nor did as many bytes behind it: not " +
				"shown to be a matter of the number 0"},
		"late": {func(o *Observation) { o.Peer.Late = late }, report.PathLossy,
			"data from the peer at sequence 0 came late, after 210 ms: it was lost and repeated, or held back; that " +
				"may be chance"},
		"late once": {func(o *Observation) { o.Peer.Late = late[:1] }, report.PathLossy,
			"data from the peer at sequence 0 came late, after 100 ms: it was lost and repeated, or held back; that " +
				"may be chance"},
		"undecided": {func(o *Observation) { o.Peer.Sent, o.Blocks, o.Isolated = true, undecided, true },
			report.PathLossy,
			"data from the peer at sequence 0 did not come back, but chance is not excluded: confirmation undecided: " +
				"10 suspects and 15 of 30 beacons lost (p = 3.9e-03, needed 5.0e-08)"},
		"nothing": {func(o *Observation) { o.Peer.Asked = 3 }, report.PathLossy,
			"data from the peer at sequence 0 did not come back, in 3 connections, and nothing shows that it was sent"},
	} {
		o := Observation{Opening: open, What: "data from the peer", Control: Count{Sent: 1}}
		c.change(&o)
		f := PeerPush(&o)
		if f.Message != c.want || f.Reason != c.reason || f.Tested != (c.reason == report.PeerZeroDropped) {
			t.Errorf("%s: %s: %s", name, f.Reason, f.Message)
		}
		if (f.Verdict == report.Pass) != (c.reason == report.Delivered) || (f.Verdict == report.Fail) != f.Tested {
			t.Errorf("%s: %s", name, f.Verdict)
		}
	}
}
