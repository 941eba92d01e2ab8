//go:build net

package labcmd

import (
	"fmt"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// satellite is the round trip by a geostationary one; the longest way is longer than any.
const (
	satellite = 600 * time.Millisecond
	longest   = 3 * time.Second
)

// atDistance probes once from so far away, over IPv4.
func atDistance(t *testing.T, o *options, rtt time.Duration, faults ...string) []report.Result {
	t.Helper()
	o.family, o.Paths, o.Deadline = string(lab.IPv4), 2, 5*time.Minute
	return probeOnce(t, newTestbed(t, lab.Options{}), o, append(faults, fmt.Sprintf("delay=%s", rtt/2))...).Report.Results
}

// However long the way is, a healthy one passes, and the round trip is said.
func TestLongWay(t *testing.T) {
	for name, scenario := range map[string]func() *options{
		"Handshake and SequenceWrap": func() *options { return quick("") },
		"PathMTU": func() *options {
			o := quick("")
			o.Scenarios = []string{"PathMTU"}
			return o
		},
		"FinReorder": func() *options { return finReorderOptions("", "on-accept", lab.CloseOnAccept) },
		"AcceptQueue": func() *options {
			o := quick("")
			o.Scenarios, o.MaxConnections = []string{"AcceptQueue"}, 4
			return o
		},
	} {
		for _, rtt := range []time.Duration{satellite, longest} {
			if name == "AcceptQueue" && rtt == longest {
				continue // it passes after two minutes
			}
			t.Run(fmt.Sprintf("%s/%s", name, rtt), func(t *testing.T) {
				t.Parallel()
				for _, r := range atDistance(t, scenario(), rtt) {
					if r.Verdict != report.Pass {
						t.Errorf("%s: %s / %s, want Pass: %s\n%v", r.Scenario, r.Verdict, r.Reason, r.Message, r.Evidence)
					}
					expectRoundTrip(t, r, rtt)
				}
			})
		}
	}
}

// expectRoundTrip compares the round trip of a result. It is never shorter; on a busy machine it may be longer by half.
func expectRoundTrip(t *testing.T, r report.Result, want time.Duration) {
	t.Helper()
	if r.RTTMicros == nil {
		t.Errorf("%s: no round trip", r.Scenario)
		return
	}
	got := time.Duration(r.RTTMicros.Median) * time.Microsecond
	if got < want || got > want+want/2 {
		t.Errorf("%s: round trip %s, want %s", r.Scenario, got, want)
	}
}

// A fault is found on a long way too.
func TestFaultOnALongWay(t *testing.T) {
	t.Run("sequence 0", func(t *testing.T) {
		t.Parallel()
		for _, r := range atDistance(t, quick(""), satellite, "push-at-zero") {
			if want := map[string]report.Reason{"Handshake": report.Established,
				"SequenceWrap": report.SequenceZeroDropped}[r.Scenario]; r.Reason != want {
				t.Errorf("%s: %s / %s, want %s: %s\n%v", r.Scenario, r.Verdict, r.Reason, want, r.Message, r.Evidence)
			}
		}
	})
	t.Run("full queue", func(t *testing.T) {
		t.Parallel()
		o := quick("")
		o.Scenarios, o.MaxConnections, o.server = []string{"AcceptQueue"}, 20, string(lab.NeverAccepts)
		for _, r := range atDistance(t, o, satellite) {
			if r.Reason != report.QueueOverflowed {
				t.Errorf("%s / %s, want QueueOverflowed: %s\n%v", r.Verdict, r.Reason, r.Message, r.Evidence)
			}
			expectRoundTrip(t, r, satellite)
		}
	})
}
