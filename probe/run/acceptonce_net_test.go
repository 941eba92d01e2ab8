//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// acceptOnce accepts one connection, closes its listener and then the connection, and ends.
const acceptOnce = `import socket
s = socket.create_server((%q, 8000), backlog=1)
c, _ = s.accept()
s.close()
c.shutdown(socket.SHUT_WR)
c.settimeout(5)
try:
    while c.recv(100): pass
except OSError: pass
`

func (s *site) acceptOnce(at netip.AddrPort) {
	s.t.Helper()
	s.serve(at, "python3", "-c", fmt.Sprintf(acceptOnce, at.Addr().String()))
}

// A server that accepts once gives a true reason in every scenario that needs several connections.
func TestServerThatAcceptsOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []plan.Scenario{
		{Type: "Handshake"},
		{Type: "SequenceWrap", Variants: []string{"Push"}},
		{Type: "FinReorder", FinReorder: &plan.FinReorder{Trigger: plan.Trigger{OnAccept: true}, GapMillis: 20}},
	} {
		t.Run(c.Type, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 8000)
			s.acceptOnce(at)
			p := planFor([]netip.AddrPort{at})
			p.Paths, p.Scenarios, p.KernelConnections = 8, []plan.Scenario{c}, plan.Off
			must(t, p.Validate())
			for _, r := range s.carryOut(childTask{Plan: p, Home: s.Client().Path()}).Results {
				if r.Reason != report.ListenerGone {
					t.Errorf("%s / %s: %s\n%s", r.Verdict, r.Reason, r.Message, r.Evidence)
				}
				t.Log(r.Flows, r.Message)
			}
		})
	}
}

// A server that accepts once is said to where the kernel's connection was the one that it accepted.
func TestKernelConnectionTakesTheOnlyAccept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 8000)
	s.acceptOnce(at)
	p := planFor([]netip.AddrPort{at})
	p.Paths, p.Scenarios = 8, []plan.Scenario{{Type: "Handshake"}}
	must(t, p.Validate())
	r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
	if r.Results[0].Reason != report.ListenerGone {
		t.Errorf("%s / %s: %s, %+v", r.Results[0].Verdict, r.Results[0].Reason, r.Results[0].Message, r.KernelConnections)
	}
}
