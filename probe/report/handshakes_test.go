package report

import (
	"bytes"
	"strings"
	"testing"
)

// A line below the table has connect times beside round trips where SYNs were repeated, and only there.
func TestHandshakesBelowTheTable(t *testing.T) {
	res := Result{Scenario: "Handshake", Target: "192.0.2.80:80", Verdict: Pass, Reason: "Established",
		RTTMicros:  &RTT{100, 200, 300},
		Handshakes: &Handshakes{16, 2, 3, 1, Delay{204_000, 754_000}}}
	for repeated, want := range map[int]string{
		0: "",
		2: "Handshake to 192.0.2.80:80: connect: 204ms, at most 754ms; 2 of 16 handshakes needed more than one SYN; round " +
			"trip: 200µs\n",
	} {
		res.Handshakes.Repeated = repeated
		var b bytes.Buffer
		if err := (Report{Results: []Result{res}}).WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "connect:") != (want != "") || !strings.Contains(b.String(), want) {
			t.Errorf("%d repeated:\n%s", repeated, b.String())
		}
	}
}
