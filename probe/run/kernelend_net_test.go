//go:build net

package run_test

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A device that resets only this end leaves the peer's: kernel connections are ended there, too. The server sends
// nothing, so nothing else draws an RST.
func TestForgedResetLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"reset-at-zero=61", "reset-at-zero=64"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			t.Cleanup(s.inject(fault))
			for _, f := range lab.Families {
				p := planFor([]netip.AddrPort{s.Target(f, lab.Sink)})
				p.Alpha = 1e-3
				r := s.carryOut(childTask{p, "", s.Client().Path()})
				if len(r.KernelConnections) != 1 || r.KernelConnections[0].Outcome != report.KernelDied || r.LeakedFlows != 0 {
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
