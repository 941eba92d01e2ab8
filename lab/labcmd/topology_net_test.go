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

// The verdicts are the same in every topology, for every device with the client's address, with both guard modes, and
// although the client's firewall drops packets without a tracked connection. No connection is left at the server or in
// connection tracking.
func TestVerdictInEveryTopology(t *testing.T) {
	for _, topology := range lab.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			t.Parallel()
			s := newTestbedOrSkip(t, lab.Options{Topology: topology, Conntrack: true, Protected: true})
			for _, guard := range labtest.GuardModes() {
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

// newTestbedOrSkip skips the test if this machine's kernel lacks the topology's device. The kernel of test/guest has
// it.
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

// expectUnharmed fails if the run leaked flows, or if the prober's kernel sent or received segments of them.
func expectUnharmed(t *testing.T, p probeResult, guard string) {
	t.Helper()
	if p.Report.Guard.Mode != guard || p.Report.Guard.ResetsDropped != 0 || p.Report.LeakedFlows != 0 {
		t.Errorf("guard %+v, %d flows leaked", p.Report.Guard, p.Report.LeakedFlows)
	}
}

// expectNothingOpen fails if the server has a socket of the client's, or if a tracked connection is in another state
// than those that stay for ten seconds after a reset.
func expectNothingOpen(t *testing.T, s *testbed, topology lab.Topology) {
	t.Helper()
	routers := []lab.Topology{lab.FirewallDrop, lab.FirewallReject, lab.FirewallProhibit, lab.DNAT}
	for _, f := range lab.Families {
		labtest.AwaitEmpty(t, "sockets", time.Second, s.Server().Sockets, s.ClientAddr(f))
		expectTracked(t, "router", s.Switch(), s.ClientAddr(f), slices.Contains(routers, topology))
		expectTracked(t, "client", s.Client(), s.ClientAddr(f), topology == lab.Loopback)
	}
}

// expectTracked expects a host to track reset connections of peer, or no connection at all.
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
