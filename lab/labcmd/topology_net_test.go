//go:build net

package labcmd

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// Whatever is between client and server, whatever device has the client's address, and although the client's own
// firewall drops what belongs to no connection that it knows, the verdicts are the same, with both guards. Nothing
// stays open at the server, nor where connections are tracked.
func TestVerdictInEveryTopology(t *testing.T) {
	for _, topology := range lab.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			t.Parallel()
			s := newTestbedOrSkip(t, lab.Options{Topology: topology, Conntrack: true, Protected: true})
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

// newTestbedOrSkip skips where this machine's kernel has no such device; test/guest has it.
func newTestbedOrSkip(t *testing.T, o lab.Options) *testbed {
	t.Helper()
	l, err := lab.New(t.Context(), o)
	if errors.Is(err, lab.ErrUnsupported) {
		t.Skip(err)
	}
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return newTestbed(t, o)
}

// expectUnharmed fails if the run left something, or the prober's kernel took part in it.
func expectUnharmed(t *testing.T, p probeResult, guard string) {
	t.Helper()
	if p.Report.Guard.Mode != guard || p.Report.Guard.ResetsDropped != 0 || p.Report.LeakedFlows != 0 {
		t.Errorf("guard %+v, %d flows leaked", p.Report.Guard, p.Report.LeakedFlows)
	}
}

// expectNothingOpen finds no socket of the client's at the server, and nothing tracked that waits for more than the ten
// seconds that the kernel remembers a reset.
func expectNothingOpen(t *testing.T, s *testbed, topology lab.Topology) {
	t.Helper()
	routers := []lab.Topology{lab.FirewallDrop, lab.FirewallReject, lab.FirewallProhibit, lab.DNAT}
	for _, f := range lab.Families {
		labtest.AwaitEmpty(t, "sockets", time.Second, s.Server().Sockets, s.ClientAddr(f))
		expectTracked(t, "router", s.Switch(), s.ClientAddr(f), slices.Contains(routers, topology))
		expectTracked(t, "client", s.Client(), s.ClientAddr(f), topology == lab.Loopback)
	}
}

// expectTracked wants a host to track reset connections of peer, or none at all.
func expectTracked(t *testing.T, name string, n *lab.Namespace, peer netip.Addr, some bool) {
	t.Helper()
	tracked, err := n.Conntrack(peer)
	if err != nil {
		t.Fatal(err)
	}
	reset := tracked["CLOSE"]
	delete(tracked, "CLOSE")
	if len(tracked) > 0 || (reset > 0) != some {
		t.Errorf("the %s tracks of %s: %v, and %d that were reset", name, peer, tracked, reset)
	}
}
