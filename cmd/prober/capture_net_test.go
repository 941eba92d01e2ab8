//go:build net

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The report on standard output has the packets of a finding. The termination message, which must be short, has not.
func TestNetReportCarriesAFailuresPackets(t *testing.T) {
	n := newNetwork(t, lab.IPv4, "tcx")
	for _, name := range []string{"", "push-at-zero"} {
		faults, err := fault.ParseAll(strings.Fields(name))
		if err != nil {
			t.Fatal(err)
		}
		injection, err := n.Inject(faults...)
		if err != nil {
			t.Fatal(err)
		}
		p := n.start(t, n.plan(t, 2, 1000, 30), 0)
		s := p.awaitSummary(t)
		if err := injection.Close(); err != nil {
			t.Error(err)
		}
		r, err := report.Read(strings.NewReader(p.stdout.String()))
		if err != nil {
			t.Fatal(err)
		}
		failed := s.Verdict(0, 1) == report.Fail
		if failed != (name != "") || failed != (len(r.Capture) > 0) || len(r.Capture) > report.MaxCapture {
			t.Errorf("fault %q: verdict %s, a capture of %d bytes", name, s.Verdict(0, 1), len(r.Capture))
		}
		if failed && capture.Check(r.Capture) != nil {
			t.Error(capture.Check(r.Capture))
		}
		if message, err := os.ReadFile(p.summary); err != nil || strings.Contains(string(message), "capture") {
			t.Errorf("termination message %q, %v", message, err)
		}
	}
}
