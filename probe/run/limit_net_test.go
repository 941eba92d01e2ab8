//go:build net

package run_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// filter adds a rule to the input of the server's host, in front of every listener.
func (s *site) filter(rule string) {
	s.t.Helper()
	nft := exec.CommandContext(s.t.Context(), "nft", "-f", "-")
	nft.Stdin = strings.NewReader("table inet counts { set s { type ipv4_addr; flags dynamic; }; " +
		"chain c { type filter hook input priority 0; " + rule + "; }; }")
	must(s.t, s.Server().Run(nft))
}

// What limits SYNs or connections is not named as a queue, although connections get no place.
func TestLimitIsNoQueue(t *testing.T) {
	t.Parallel()
	const syn = "tcp flags & (syn|ack) == syn "
	for _, rule := range []string{
		syn + "meter m { ip saddr limit rate over 1/minute burst 60 packets } drop",
		syn + "meter m { ip saddr limit rate over 5/second burst 50 packets } drop",
		syn + "limit rate over 1/minute burst 45 packets drop",
		"ct state new limit rate over 1/minute burst 60 packets drop",
		"ct state new add @s { ip saddr ct count over 30 } drop",
		"ct state new add @s { ip saddr ct count over 30 } reject with tcp reset",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.filter(rule)
			at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 8000)
			s.serve(at, "python3", "-m", "http.server", "--bind", at.Addr().String(), "--directory", t.TempDir(), "8000")
			if r := s.fill(100, at)[at.String()]; r.Verdict != report.Inconclusive {
				t.Errorf("%s / %s: %s", r.Verdict, r.Reason, r.Message)
			}
		})
	}
}
