//go:build net

package run_test

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// The ports of the peer in test/gvisor.
const (
	gvisorEcho      = 8007
	gvisorHalfClose = 8009 // shuts its sending side down and reads
	gvisorClose     = 8010 // closes
	gvisorStalled   = 8011 // never accepts
)

// gvisor has the server's addresses answered by gVisor's TCP on the peer's ports, and not by the kernel.
func (s *site) gvisor() {
	s.t.Helper()
	program := filepath.Join(s.t.TempDir(), "gvisor")
	build := exec.CommandContext(s.t.Context(), "go", "-C", "../../test/gvisor", "build", "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	s.filter("tcp dport 8007-8011 drop")
	ctx, cancel := context.WithCancel(context.Background())
	peer := exec.CommandContext(ctx, program, lab.ServerDevice, s.ServerAddr(lab.IPv4).String(),
		s.ServerAddr(lab.IPv6).String())
	peer.WaitDelay = time.Second
	out, err := peer.StdoutPipe()
	must(s.t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Server().Run(peer) }()
	s.t.Cleanup(func() {
		cancel()
		<-ended //nolint:errcheck // the error says that the process was killed
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		s.t.Fatalf("the peer said %q: %v", line, err)
	}
}

// Every verdict is true of a peer with gVisor's TCP: it takes every segment at 0, resets a connection that was closed
// when an ACK overtakes the FIN, and has a queue of its own.
func TestGvisor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.gvisor()
	closes := &plan.FinReorder{Trigger: plan.Trigger{OnAccept: true}, GapMillis: 20}
	for _, c := range []struct {
		port     uint16
		scenario plan.Scenario
		want     report.Reason
	}{
		{gvisorEcho, plan.Scenario{Type: "Handshake"}, report.Established},
		{gvisorEcho, plan.Scenario{Type: "SequenceWrap", Variants: variant.Names(sentHere)}, report.Delivered},
		{gvisorHalfClose, plan.Scenario{Type: "FinReorder", FinReorder: closes}, report.FinAccepted},
		{gvisorClose, plan.Scenario{Type: "FinReorder", FinReorder: closes}, report.FinReset},
		{gvisorStalled, plan.Scenario{Type: "AcceptQueue", AcceptQueue: &plan.AcceptQueue{MaxConnections: 40}},
			report.QueueOverflowed},
	} {
		for _, f := range lab.Families {
			t.Run(fmt.Sprintf("%s %d %s", c.scenario.Type, c.port, f), func(t *testing.T) {
				t.Parallel()
				p := planFor([]netip.AddrPort{netip.AddrPortFrom(s.ServerAddr(f), c.port)})
				p.Scenarios = []plan.Scenario{c.scenario}
				must(t, p.Validate())
				for _, r := range s.carryOut(childTask{Plan: p, Home: s.Client().Path()}).Results {
					want := c.want
					if r.Variant == "HandshakeAck" {
						want = report.NotIsolated // it does not name duplicates
					}
					if r.Reason != want {
						t.Errorf("%s: %s / %s, want %s: %s\n%s", r.Variant, r.Verdict, r.Reason, want, r.Message, r.Evidence)
					}
				}
			})
		}
	}
}

// gVisor's initial numbers follow the same clock as Linux's, so its own segments at 0 are asked about too.
func TestGvisorsSegmentAtZero(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.gvisor()
	for _, f := range lab.Families {
		r, found := s.askPeer(netip.AddrPortFrom(s.ServerAddr(f), gvisorEcho))
		if found.Reason != report.Delivered || r.LeakedFlows != 0 {
			t.Errorf("%s: %s, %d leaked\n%s", f, found.Reason, r.LeakedFlows, found.Evidence)
		}
	}
}

// sentHere holds for variants whose suspect this side sends.
func sentHere(v variant.Variant) bool { return v.Where != variant.FromPeer }
