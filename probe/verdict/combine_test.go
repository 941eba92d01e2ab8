package verdict

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestRoundTrips(t *testing.T) {
	if RTT(nil) != nil {
		t.Error("round-trip times without flows")
	}
	one := []time.Duration{7 * time.Microsecond}
	if got := RTT(one); *got != (report.RTT{Min: 7, Median: 7, P99: 7}) {
		t.Errorf("of one: %+v", *got)
	}
	var many []time.Duration
	for i := range 201 {
		many = append(many, time.Duration(201-i)*time.Microsecond)
	}
	if got := RTT(many); *got != (report.RTT{Min: 1, Median: 101, P99: 199}) {
		t.Errorf("of 1 to 201: %+v", *got)
	}
	if got := RTT(many[1:]); *got != (report.RTT{Min: 1, Median: 100, P99: 198}) {
		t.Errorf("of 1 to 200: %+v", *got)
	}
}

// Message and reason are those of the most frequent finding with the combined verdict.
func TestMessageIsThatOfTheMostFrequentFinding(t *testing.T) {
	pass := Finding{report.Pass, report.Delivered, "p", false, false}
	lossy := Finding{report.Inconclusive, report.PathLossy, "l", false, false}
	down := Finding{report.Inconclusive, report.PathDown, "d", false, false}
	for _, flows := range [][]Finding{{down, down, lossy, pass, pass, pass}, {lossy, down, down, pass, pass, pass},
		{pass, pass, pass, down, lossy, down}} {
		if f, n := Combine(flows); f != down || n.Inconclusive != 3 {
			t.Errorf("%+v %+v", f, n)
		}
	}
	another := lossy
	another.Message = "another"
	if f, _ := Combine([]Finding{lossy, another}); f != lossy {
		t.Errorf("of two equally frequent findings the message is %q, want the first", f.Message)
	}
	if f, _ := Combine([]Finding{pass}); f != pass {
		t.Errorf("a single pass is %+v", f)
	}
}

func TestCombine(t *testing.T) {
	pass := Finding{report.Pass, report.Delivered, "p", false, false}
	fail := Finding{report.Fail, report.SequenceZeroDropped, "f", true, false}
	untested := Finding{report.Fail, report.SequenceZeroDropped, "u", false, false}
	lossy := Finding{report.Inconclusive, report.PathLossy, "l", false, false}
	down := Finding{report.Inconclusive, report.PathDown, "d", false, false}
	for _, c := range []struct {
		name  string
		flows []Finding
		want  Finding
		n     report.Flows
	}{
		{"all pass", []Finding{pass, pass}, pass, report.Flows{Tried: 2, Pass: 2}},
		{"one failed flow among passed ones", []Finding{pass, pass, pass, fail, lossy}, fail,
			report.Flows{Tried: 5, Pass: 3, Fail: 1, Inconclusive: 1}},
		{"not established is not passed", []Finding{pass, pass, lossy}, lossy,
			report.Flows{Tried: 3, Pass: 2, Inconclusive: 1}},
		{"a test speaks", []Finding{untested, fail, untested}, fail, report.Flows{Tried: 3, Fail: 3}},
		{"the most frequent reason speaks", []Finding{lossy, down, down}, down, report.Flows{Tried: 3, Inconclusive: 3}},
	} {
		if f, n := Combine(c.flows); f != c.want || n != c.n {
			t.Errorf("%s: %+v %+v, want %+v %+v", c.name, f, n, c.want, c.n)
		}
	}
}
