//go:build net

package main

import (
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
)

// Whatever is between client and server, and whatever device has the client's address, the verdicts are the same, with both
// guards. Nothing stays open at the server, nor in a router that tracks connections.
func TestVerdictInEveryTopology(t *testing.T) {
	for _, topology := range lab.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, lab.Options{Topology: topology, Conntrack: true})
			for _, guard := range []string{"tcx", "clsact"} {
				p, found := probe(t, s, quick(guard))
				expect(t, found, established, delivered)
				expectUnharmed(t, p, guard)
				p, found = probe(t, s, quick(guard), "push-at-zero")
				expect(t, found, established, zeroDropped)
				expectUnharmed(t, p, guard)
				if dropped(p) == 0 {
					t.Error("the switch dropped nothing")
				}
			}
			expectNothingOpen(t, s, topology)
		})
	}
}

// expectUnharmed fails if the run left something, or the prober's kernel took part in it.
func expectUnharmed(t *testing.T, p pass, guard string) {
	t.Helper()
	if p.Report.Guard.Mode != guard || p.Report.Guard.ResetsDropped != 0 || p.Report.LeakedFlows != 0 {
		t.Errorf("guard %+v, %d flows leaked", p.Report.Guard, p.Report.LeakedFlows)
	}
}

// tracking are the topologies whose router remembers every connection.
var tracking = []lab.Topology{lab.FirewallDrop, lab.FirewallReject, lab.FirewallProhibit, lab.DNAT}

// expectNothingOpen finds no socket of the client's at the server, and nothing tracked on the way that waits for more
// than the ten seconds that the kernel remembers a reset.
func expectNothingOpen(t *testing.T, s *site, topology lab.Topology) {
	t.Helper()
	for _, f := range lab.Families {
		awaitEmpty(t, "sockets", time.Second, s.Server().Sockets, s.ClientAddr(f))
		tracked, err := s.Switch().Conntrack(s.ClientAddr(f))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(tracking, topology) != (tracked["CLOSE"] > 0) {
			t.Errorf("%s: the router tracks %v: this shows nothing", f, tracked)
		}
		delete(tracked, "CLOSE")
		if len(tracked) > 0 {
			t.Errorf("%s: the router still tracks %v", f, tracked)
		}
	}
}
