//go:build net

package labcmd

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A device that drops, holds or resets what begins at 0 only while data before it is not acknowledged meets none of the
// crafted flows, which wait. Connections of the kernel that do not wait fail the check, and it says that this decides.
// One that harms what is in flight at every number is not blamed on 0, nor is loss.
func TestInFlightAtZero(t *testing.T) {
	t.Parallel()
	const decides = "that data before 0 is in flight decides"
	s := newTestbed(t, lab.Options{Segmented: true})
	for _, c := range []struct {
		fault string
		wrap  []string
		says  string
	}{
		{"in-flight-at-zero=drop", []string{"Fail/SequenceZeroStalled"}, decides},
		{"in-flight-at-zero=300ms", []string{"Fail/SequenceZeroStalled"}, decides},
		{"in-flight-at-zero=reset", []string{"Fail/SequenceZeroDied"}, decides},
		{"wrap=window@in", []string{"Fail/SequenceZeroStalled"}, decides},
		{"straddling-zero@in", []string{"Fail/SequenceZeroStalled"}, "ask also SequenceWrap/Straddle"},
		{"in-flight-at-zero=drop@out", []string{delivered}, "kernel connections"},
		{"drop-in-flight", []string{delivered}, "as well: that harm is not a matter of 0"},
		{"loss=2%", []string{delivered, "Inconclusive/KernelDisagrees", "Inconclusive/PathLossy"}, "kernel connections"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			o := quick("")
			o.KernelConnections = true
			p, found := probeUntil(t, s, o, c.says, c.fault, "delay=20ms")
			expect(t, found, established, c.wrap...)
			for key, r := range found {
				if r.Verdict == report.Fail && r.Alpha == 0 {
					t.Errorf("%s: no error is stated", key)
				}
			}
			if p.Report.LeakedFlows != 0 {
				t.Errorf("%d flows leaked", p.Report.LeakedFlows)
			}
		})
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}

// probeUntil probes up to three times until each result of SequenceWrap has these words: on a busy machine what follows
// in flight may leave too late, and less is certain.
func probeUntil(
	t *testing.T, s *testbed, o *options, words string, faults ...string,
) (p probeResult, found map[string]report.Result) {
	t.Helper()
	for range 3 {
		if p, found = probe(t, s, o, faults...); says(found, words) {
			return p, found
		}
	}
	t.Errorf("no %q in %+v", words, found)
	return p, found
}

// says reports whether each result of SequenceWrap has these words.
func says(found map[string]report.Result, words string) bool {
	for _, r := range found {
		if r.Scenario == "SequenceWrap" && !strings.Contains(r.Message, words) {
			return false
		}
	}
	return true
}
