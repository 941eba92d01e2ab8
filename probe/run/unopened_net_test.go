//go:build net

package run_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Where something limits a client's connections, or how often it opens one, a scenario whose flows stand side by side
// asks those alone that came to no connection. Nothing fails then.
func TestFlowsThatALimitRefused(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]string{
		"three at a time, others are refused": `set s { type ipv4_addr; flags dynamic; }
			chain c { type filter hook input priority 0;
				tcp dport 7999 ct state new add @s { ip saddr ct count over 3 } reject with tcp reset; }`,
		"two SYNs a second": limitsSYNs,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			at := s.serves(lab.IPv4, 0, 0)
			s.nft(s.Server(), rules)
			p := planFor([]netip.AddrPort{at})
			p.Paths, p.DeadlineSeconds, p.Alpha = 16, 300, 1e-3
			p.Scenarios = append(p.Scenarios, plan.Scenario{Type: "PathMTU"})
			must(t, p.Validate())
			r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
			want := map[string][]report.Reason{"Handshake": {report.Established, report.ConnectionLimit},
				"SequenceWrap": {report.Delivered}, "PathMTU": {report.SizesArrived}}
			noted := 0
			for _, one := range r.Results {
				if !slices.Contains(want[one.Scenario], one.Reason) ||
					one.Scenario != "Handshake" && one.Flows.Pass < 16 {
					t.Errorf("%s: %s / %s, %+v: %s\n%s", one.Scenario, one.Verdict, one.Reason, one.Flows, one.Message,
						one.Evidence)
				}
				if strings.Contains(one.Message, "something limits concurrent or new connections") {
					noted++
				}
				t.Logf("%s %s %+v: %s", one.Scenario, one.Reason, one.Flows, one.Message)
			}
			if noted == 0 {
				t.Error("no word of a limit")
			}
		})
	}
}
