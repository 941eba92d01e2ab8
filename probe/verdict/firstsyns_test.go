package verdict

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// However the losses come, the test convicts at most as often as its error allows.
func TestSYNTestKeepsItsError(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many runs")
	}
	const alpha, runs = 0.05, 20000
	r := rand.New(rand.NewPCG(1, 2))
	convicted := 0
	for range runs {
		n := SYNTest{Alpha: alpha}
		for !n.Decided() {
			if n.Trials++; r.Float64() < chanceOfLoss {
				n.Lost++
			}
		}
		if n.Significant() {
			convicted++
		}
	}
	if share := float64(convicted) / runs; share > alpha || share == 0 {
		t.Errorf("convicted in %.3f of all runs, want at most %g, and some", share, alpha)
	}
}

// So many connections convict: the numbers are written down, not computed.
func TestSYNTestDecides(t *testing.T) {
	for _, c := range []struct {
		n        SYNTest
		convicts bool
		ends     bool
	}{
		{SYNTest{Alpha: 1e-3}, false, false},
		{SYNTest{Trials: 5, Lost: 5, Alpha: 1e-3}, false, false},
		{SYNTest{Trials: 6, Lost: 6, Alpha: 1e-3}, true, true},
		{SYNTest{Trials: 6, Lost: 6}, false, false},
		{SYNTest{Trials: 15, Lost: 15, Alpha: 2.8e-9}, false, false},
		{SYNTest{Trials: 16, Lost: 16, Alpha: 2.8e-9}, true, true},
		{SYNTest{Trials: 9, Lost: 8, Alpha: 1e-3}, true, true},
		{SYNTest{Trials: 13, Lost: 10, Alpha: 1e-3}, true, true},
		{SYNTest{Trials: 3, Alpha: 1e-3}, false, false},
		{SYNTest{Trials: 4, Alpha: 1e-3}, false, true},
		{SYNTest{Trials: 60, Lost: 56, Alpha: 1e-3}, false, true},
		{SYNTest{Trials: 1, Lost: 1, Alpha: 4 * binomialAtLeast(1, 1, 1.0/4)}, true, true}, // at the error bound
		{SYNTest{Answered: true, Alpha: 1e-3}, false, true},
	} {
		if c.n.Significant() != c.convicts || c.n.Decided() != c.ends {
			t.Errorf("%+v: convicts %t, ends %t", c.n, c.n.Significant(), c.n.Decided())
		}
	}
	for n := range 64 { // rounding would make it more
		if p := (SYNTest{Trials: n}).P(); p > 1 {
			t.Errorf("none of %d lost: p = %g", n, p)
		}
	}
	if EnoughPatient != 3 {
		t.Errorf("%d patient connections", EnoughPatient)
	}
}

// Which of the two is lost is said as far as it is shown.
func TestSYNOrItsAnswer(t *testing.T) {
	for _, c := range []struct {
		byPeer  int
		repeats bool
		want    report.Reason
		says    string
	}{
		{0, true, report.SynLost, "It is the SYN, not its answer"},
		{0, false, report.SynLost, "Whether the SYN or its answer is lost is not shown"},
		{1, true, report.SynLost, "Whether the SYN or its answer is lost is not shown"},
		{3, false, report.SynAckLost, "The SYN arrives: in 3 of 3 connections the peer's second SYN-ACK came"},
	} {
		n := SYNTest{Trials: 9, Lost: 9, Patient: 3, ByPeer: c.byPeer, PeerRepeats: c.repeats, Alpha: 1e-3}
		r := WithFollowUp(report.Result{Verdict: report.Pass, Reason: report.Established,
			Handshakes: &report.Handshakes{Established: 16, Repeated: 15}}, FollowUp{SYNs: n}, 1e-3)
		what := map[report.Reason]string{report.SynLost: "the first SYN of", report.SynAckLost: "the first SYN-ACK of"}
		if !strings.HasPrefix(r.Message, what[c.want]) {
			t.Errorf("%+v: %s", c, r.Message)
		}
		if r.Reason != c.want || r.Verdict != report.Fail || r.StallMillis != 1000 || !strings.Contains(r.Message, c.says) ||
			!strings.Contains(r.Message, "waits 1000 ms") || !strings.HasSuffix(r.Message, "Before, 15 of 16 handshakes "+
			"needed more than one SYN") {
			t.Errorf("%+v: %+v", c, r)
		}
		if len(r.Message) > 400 {
			t.Errorf("a summary would cut the message of %d bytes: %s", len(r.Message), r.Message)
		}
	}
	for patient, want := range []report.Reason{report.SynLost, report.SynAckLost} {
		if got := (SYNTest{Patient: patient, ByPeer: patient}).Reason(); got != want {
			t.Errorf("all of %d by the peer: %s", patient, got)
		}
	}
}

func TestFirstSYNsLost(t *testing.T) {
	for _, c := range []struct {
		reason report.Reason
		h      *report.Handshakes
		want   bool
	}{
		{report.Established, nil, false},
		{report.Established, &report.Handshakes{}, false},
		{report.Established, &report.Handshakes{Established: 16}, false},
		{report.Established, &report.Handshakes{Established: 16, Repeated: 7}, false},
		{report.Established, &report.Handshakes{Established: 16, Repeated: 8}, true},
		{report.Established, &report.Handshakes{Established: 1, Repeated: 1}, true},
		{report.Filtered, &report.Handshakes{Established: 1, Repeated: 1}, false},
	} {
		if got := FirstSYNsLost(report.Result{Reason: c.reason, Handshakes: c.h}); got != c.want {
			t.Errorf("%s %+v: %t", c.reason, c.h, got)
		}
	}
}
