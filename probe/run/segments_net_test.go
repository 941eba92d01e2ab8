//go:build net

package run_test

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// segmentsOf returns the results of SequenceWrap over 16 paths while the switch has the fault.
func segmentsOf(t *testing.T, s *site, fault string, f lab.Family, variants ...string) []report.Result {
	t.Helper()
	p := planFor([]netip.AddrPort{s.Target(f, lab.Echo)})
	p.Paths, p.KernelConnections = 16, plan.Off
	p.Scenarios = []plan.Scenario{{Type: "SequenceWrap", Variants: variants}}
	if fault != "" {
		defer labtest.Inject(t, s.Lab, fault)()
	}
	return s.carryOut(childTask{p, "", s.Client().Path()}).Results
}

// everyVariantAnswered are those whose suspects are answered. A handshake's final ACK is not.
var everyVariantAnswered = []string{"Push", "UrgentPush", "Data", "Straddle", "Fin", "PushFin", "Ack", "Reset", "Syn",
	"FinUrgPush", "Null", "AckZero"}

// On a clean path nothing is lost of any variant, also if it takes long, reorders or duplicates. The round trips are
// the path's, of suspects as of controls.
func TestNothingIsLostOnACleanPath(t *testing.T) {
	t.Parallel()
	for fault, least := range map[string]int64{"": 0, "delay=60ms": 120e3, "duplicate=20%": 0, "reorder=20%/2ms": 0} {
		t.Run(fault, func(t *testing.T) {
			s := newSite(t)
			for _, r := range segmentsOf(t, s, fault, lab.IPv4, everyVariantAnswered...) {
				expectClean(t, r, least)
			}
		})
	}
}

// expectClean expects that nothing was lost, and a round trip of so many microseconds at least.
func expectClean(t *testing.T, r report.Result, least int64) {
	t.Helper()
	switch s := r.Suspects; {
	case s == nil || s.Sent < 16 || s.Lost != 0 || s.RTTMicros == nil || s.RTTMicros.Median < least:
		t.Errorf("%s: suspects %+v", r.Variant, s)
	case r.Controls != nil && r.Controls.Lost != 0, report.Late(r.Suspects, r.Controls):
		t.Errorf("%s: %s", r.Variant, report.SegmentsText(r.Suspects, r.Controls))
	}
}

// If only what is at 0 is lost, all suspects are, and no control.
func TestOnlySuspectsAreLost(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		s := newSite(t)
		for _, r := range segmentsOf(t, s, "push-at-zero", f, "Push", "PushFin", "FinUrgPush") {
			if r.Suspects == nil || r.Suspects.Lost != r.Suspects.Sent || r.Suspects.RTTMicros != nil {
				t.Errorf("%s: suspects %+v", r.Variant, r.Suspects)
			}
			if r.Controls == nil || r.Controls.Lost != 0 || r.Controls.RTTMicros == nil {
				t.Errorf("%s: controls %+v", r.Variant, r.Controls)
			}
		}
	}
}

// A Pass on a path that loses a quarter of the segments says so: suspects and controls are lost alike.
func TestPassOnALossyPathSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var suspects, controls *report.Segments
	for _, r := range segmentsOf(t, s, "loss=25%@in", lab.IPv4, "Push", "Data", "Syn", "Null") {
		if r.Verdict == report.Fail {
			t.Errorf("%s: %s / %s", r.Variant, r.Verdict, r.Reason)
		}
		suspects, controls = suspects.Plus(r.Suspects), controls.Plus(r.Controls)
	}
	sum := suspects.Plus(controls)
	// of some hundred segments a quarter is between 8 % and 50 % but for one run of a million
	if rate := float64(sum.Lost) / float64(sum.Sent); rate < 0.08 || rate > 0.5 || !report.Lossy(suspects, controls) {
		t.Errorf("lost: %s", report.SegmentsText(suspects, controls))
	}
}

// A Pass covers what the flows and the kernel's own connections sent: lengths, options, source ports.
func TestPassSaysWhatItCovers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	t.Cleanup(s.inject("delay=20ms")) // so that data can be in flight
	p := planFor([]netip.AddrPort{s.Target(lab.IPv4, lab.Echo)})
	p.Paths = 16
	p.Scenarios = []plan.Scenario{{Type: "SequenceWrap", Variants: []string{"Push", "HandshakeAck", "Syn", "AckZero"}}}
	results := s.carryOut(childTask{p, "", s.Client().Path()}).Results
	for i, want := range []report.Coverage{
		{Direction: report.ToTarget, Connections: &report.Connections{}, Kernel: &report.KernelCoverage{Sizes: everySize,
			MSS: 1448, Options: []string{"Timestamps", "SACKPermitted"}}},
		{Direction: report.ToTarget, Connections: &report.Connections{}},
		{Direction: report.ToTarget, Options: []string{"MSS", "SACKPermitted"}},
		{Direction: report.BothWays},
	} {
		want.SourcePorts = 16
		got := results[i].Covers
		if got == nil {
			t.Fatalf("%s: %s, no coverage", results[i].Variant, results[i].Verdict)
		}
		if want.Kernel != nil { // the lengths of its data are random
			if l := got.Bytes; l == nil || l.Least < 1 || l.Most > 1460 || l.Least >= l.Most || l.Different < 2 {
				t.Errorf("%s: %+v", results[i].Variant, l)
			}
			want.Bytes = got.Bytes
		}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %s, want %s", results[i].Variant, got, want)
		}
	}
}
