//go:build net

package run_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Kernel connections are ended at the peer too where a device resets only this end, and where one drops old bytes,
// which the peer would answer. The server sends nothing, so nothing else draws an RST.
func TestKernelConnectionsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		faults string
		want   report.KernelOutcome
	}{
		{"reset-at-zero=61", report.KernelDied},
		{"reset-at-zero=64", report.KernelDied},
		{"drop-old push-at-zero", report.KernelStalled},
		{"in-flight-at-zero=reset@in delay=20ms", report.KernelDied}, // the peer has more than it acknowledged in time
	} {
		t.Run(c.faults, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			t.Cleanup(labtest.Inject(t, s.Lab, strings.Fields(c.faults)...))
			for _, f := range lab.Families {
				p := planFor([]netip.AddrPort{s.Target(f, lab.Sink)})
				p.Alpha = 1e-3
				r := s.carryOut(childTask{p, "", s.Client().Path()})
				if len(r.KernelConnections) != 1 || r.KernelConnections[0].Outcome != c.want || r.LeakedFlows != 0 {
					t.Errorf("%s: %d leaked, %+v", f, r.LeakedFlows, r.KernelConnections)
				}
				left, err := s.Server().Sockets(s.ClientAddr(f)) // at once: the run saw each of them end
				must(t, err)
				if len(left) > 0 {
					t.Errorf("%s: the server holds %v", f, left)
				}
			}
		})
	}
}
