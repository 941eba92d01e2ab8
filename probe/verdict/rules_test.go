package verdict

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

var (
	open      = conn.Opening{Answer: conn.SynAck, Sent: 1}
	confirmed = []Confirmation{{Block: Block{10, 30}, Alpha: 5e-8}}
	undecided = []Confirmation{{Block: Block{10, 30}, BeaconsLost: 15, Alpha: 5e-8}}
	ignored   = Silence{Segments: 12, Seen: Count{40, 2}, Alpha: 1e-4}
	maybeLoss = Silence{Segments: 12, Seen: Count{40, 20}, Alpha: 1e-4}
	unclean   = conn.SelfCheck{Seen: 3, Stolen: 2}
)

func TestHandshakeChain(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Observation
		want report.Reason
	}{
		{"established", Observation{Opening: open, Proof: conn.Proof{Established: true}}, report.Established},
		{"no proof", Observation{Opening: open, Silence: ignored}, report.AckLostOrQueueFull},
		{"no proof, and maybe lost", Observation{Opening: open, Silence: maybeLoss}, report.PathLossy},
		{"reset before the proof", Observation{Opening: open, PeerReset: true}, report.PeerReset},
		{"refused", Observation{Opening: conn.Opening{Answer: conn.ResetAnswer}}, report.Refused},
		{"icmp", Observation{Opening: conn.Opening{Answer: conn.ICMPError,
			Unreachable: &segment.Unreachable{Type: 3, Code: 13}}}, report.Unreachable},
		{"no next hop", Observation{Opening: conn.Opening{Answer: conn.NoNextHop,
			Unresolved: errors.New("192.0.2.9 on eth0")}}, report.Unreachable},
		{"altered", Observation{Opening: conn.Opening{Answer: conn.WrongAck}}, report.Altered},
		{"stale", Observation{Opening: conn.Opening{Answer: conn.StaleAck}}, report.StaleState},
		{"silent", Observation{Ports: 2, Silence: ignored}, report.Filtered},
		{"silent, and maybe lost", Observation{Ports: 2, Silence: maybeLoss}, report.PathLossy},
		{"silent, and maybe lost, established alone", Observation{Ports: 2, Silence: maybeLoss, Alone: 3}, report.PathLossy},
		{"silent, established alone", Observation{Ports: 2, Silence: ignored, Alone: 3}, report.ConnectionLimit},
		{"silent but for RSTs at other numbers", Observation{ResetAny: true, Reverse: confirmed[0]},
			report.ReverseRstZeroDropped},
		{"silent, RSTs undecided", Observation{ResetAny: true, Reverse: undecided[0], Silence: ignored},
			report.QueueFullOrSynFiltered},
		{"only SYNs ignored", Observation{ResetAny: true, Ports: 2, Silence: ignored}, report.QueueFullOrSynFiltered},
		{"refused beside others, three times established alone", Observation{Opening: conn.Opening{Answer: conn.ResetAnswer},
			Alone: 3}, report.ConnectionLimit},
		{"refused beside others, twice established alone", Observation{Opening: conn.Opening{Answer: conn.ResetAnswer},
			Alone: 2}, report.Refused},
		{"guard incomplete beats a pass", Observation{Opening: open, Proof: conn.Proof{Established: true}, Guard: unclean},
			report.GuardIncomplete},
		{"answers past the guard", Observation{Ports: 2, Guard: conn.SelfCheck{OtherDevice: 3, KernelResets: 3}},
			report.AsymmetricReturn},
		{"a bond's member shows answers too",
			Observation{Opening: open, Proof: conn.Proof{Established: true},
				Guard: conn.SelfCheck{Seen: 2, Stolen: 2, OtherDevice: 2}}, report.Established},
		{"deadline beats silence", Observation{Expired: true}, report.DeadlineExceeded},
		{"fault beats all", Observation{Expired: true, Guard: unclean, Fault: errors.New("no memory")}, report.ProberFault},
	} {
		if f := Handshake(&c.o); f.Reason != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, f.Reason, f.Message, c.want)
		}
	}
}

func TestSequenceWrapChain(t *testing.T) {
	healthy := Count{Sent: 1}
	for _, c := range []struct {
		name    string
		o       Observation
		verdict report.Verdict
		want    report.Reason
	}{
		{"delivered", Observation{Opening: open, Control: healthy, Delivered: true}, report.Pass, report.Delivered},
		{"delivered, then reset", Observation{Opening: open, Control: healthy, Delivered: true, PeerReset: true}, report.Pass,
			report.Delivered},
		{"reset", Observation{Opening: open, PeerReset: true}, report.Inconclusive, report.PeerReset},
		{"no handshake", Observation{}, report.Inconclusive, report.PathDown},
		{"control lost", Observation{Opening: open, Control: Count{6, 6}}, report.Inconclusive, report.PathDown},
		{"convicted and healed", Observation{Opening: open, Control: healthy, Sandwich: Count{7, 7}, Blocks: confirmed,
			Isolated: true}, report.Fail, report.SequenceZeroDropped},
		{"convicted in the second block",
			Observation{Opening: open, Control: healthy, Blocks: append(undecided[:1:1], confirmed...),
				Isolated: true}, report.Fail, report.SequenceZeroDropped},
		{"convicted, not healed", Observation{Opening: open, Control: healthy, Blocks: confirmed}, report.Inconclusive,
			report.NotIsolated},
		{"undecided", Observation{Opening: open, Control: healthy, Blocks: undecided}, report.Inconclusive, report.PathLossy},
		{"never suspicious", Observation{Opening: open, Control: healthy, Sandwich: Count{1, 1}}, report.Inconclusive,
			report.PathLossy},
		{"convicted, but guard incomplete", Observation{Opening: open, Blocks: confirmed, Isolated: true, Guard: unclean},
			report.Inconclusive, report.GuardIncomplete},
	} {
		if f := SequenceWrap(&c.o); f.Reason != c.want || f.Verdict != c.verdict {
			t.Errorf("%s: %s / %s (%s), want %s / %s", c.name, f.Verdict, f.Reason, f.Message, c.verdict, c.want)
		}
	}
}

// What is added where a target was asked less, or answered later.
func TestNotesAboutLimits(t *testing.T) {
	const limit = "something limits concurrent or new connections of one client, or the accept queue is short"
	later := AnsweredLater(Finding{Verdict: report.Fail, Reason: report.Filtered, Message: "no answer"})
	if later.Verdict != report.Inconclusive || later.Reason != report.ConnectionLimit {
		t.Errorf("answered later: %s / %s", later.Verdict, later.Reason)
	}
	for _, c := range [][2]string{
		{OpenedAlone(0, 16), ""},
		{OpenedAlone(1, 16), "; 1 of 16 flows came to no connection beside others of this probe, and did alone, from the " +
			"same source port: " + limit},
		{AskedLess(17, 16), ""},
		{AskedLess(16, 16), ""},
		{AskedLess(4, 16), "; 4 flows instead of 16: the peer speaks first, and many such servers lock out hosts that " +
			"leave without an answer"},
		{later.Message, "no answer. But most of the others needed several SYNs too, and asked again later, the same " +
			"source port was answered: " + limit},
	} {
		if c[0] != c[1] {
			t.Errorf("%s; want\n%s", c[0], c[1])
		}
	}
}

func TestKernelResetIsUnclean(t *testing.T) {
	for _, c := range []conn.SelfCheck{{KernelResets: 1}, {ResetsDropped: 1}, {Overflow: 1}, {Seen: 1}, {Stolen: 1}} {
		if c.Clean() {
			t.Errorf("%+v passes for clean", c)
		}
	}
	if c := (conn.SelfCheck{Seen: 4, Stolen: 4}); !c.Clean() {
		t.Errorf("%+v is clean", c)
	}
}

func TestMessagesSayWhatWasSeen(t *testing.T) {
	f := SequenceWrap(&Observation{Opening: open, Control: Count{Sent: 1}, Sandwich: Count{7, 7}, Blocks: confirmed,
		Isolated: true, Witnessed: true})
	for _, words := range []string{"10 of 10", "30 others", "p = 1.2e-09", "SACK"} {
		if !strings.Contains(f.Message, words) {
			t.Errorf("message lacks %q: %s", words, f.Message)
		}
	}
}
