//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// nft gives a namespace rules.
func (s *site) nft(n *lab.Namespace, rules string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader("table inet own { " + rules + "; }")
	must(s.t, n.Run(cmd))
}

// What only this host's own rules stop is a note on a Pass; what the network does to a kernel's connection is not
// blamed on this host; and where both get through nothing is said.
func TestConnectBesideHandshake(t *testing.T) {
	t.Parallel()
	const (
		output  = "chain c { type filter hook output priority 0; tcp dport 7 "
		input   = "chain c { type filter hook input priority 0; tcp sport 7 "
		options = "chain c { type filter hook input priority 0; tcp dport 7 tcp flags & (syn|ack) == syn tcp option "
	)
	for _, c := range []struct {
		name, rules string
		atServer    bool
		says        string // "": nothing
		kernel      string
	}{
		{"nothing", "chain c { type filter hook output priority 0; }", false, "", ""},
		{"NOTRACK", "chain c { type filter hook output priority -300; tcp dport 7 notrack; }", false, "", ""},
		{"output rejects by ICMP", output + "reject; }", false, "no SYN left", ""},
		{"output rejects by RST", output + "reject with tcp reset; }", false, "no SYN left", ""},
		{"output drops", output + "drop; }", false, "no SYN left", ""},
		{"input drops", input + "drop; }", false, "a SYN-ACK came in", ""},
		{"no kernel connections", output + "drop; }", false, "", plan.Off},
		{"the network resets SYNs with an option", options + "timestamp exists reject with tcp reset; }", true,
			"that is no rule of this host", ""},
		{"the network drops SYNs with an option", options + "timestamp exists drop; }", true,
			"that is no rule of this host", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			at := s.Target(lab.IPv4, lab.Echo)
			n := s.Client()
			if c.atServer {
				n = s.Server()
			}
			s.nft(n, strings.ReplaceAll(c.rules, "port 7", fmt.Sprint("port ", at.Port())))
			p := planFor([]netip.AddrPort{at})
			p.Scenarios, p.KernelConnections = []plan.Scenario{{Type: "Handshake"}}, c.kernel
			must(t, p.Validate())
			r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()}).Results[0]
			blamed := strings.Contains(r.Message, "LocalPolicy")
			switch {
			case r.Verdict != report.Pass:
				t.Errorf("%s / %s: %s", r.Verdict, r.Reason, r.Message)
			case c.says == "" && strings.Contains(r.Message, "kernel"), !strings.Contains(r.Message, c.says),
				blamed != (c.says != "" && !c.atServer):
				t.Errorf("%q does not say %q", r.Message, c.says)
			}
		})
	}
}
