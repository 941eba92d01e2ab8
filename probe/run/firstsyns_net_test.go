//go:build net

package run_test

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Rules of nftables about SYNs and SYN-ACKs. Those that lose the first of each source port remember it.
const (
	losesSYN = `set s { type inet_service; flags dynamic; timeout 60s; }
		chain c { type filter hook input priority 0;
			tcp flags & (syn|ack) == syn tcp sport != @s add @s { tcp sport } drop; }`
	losesSYNACK = `set s { type inet_service; flags dynamic; timeout 60s; }
		chain c { type filter hook output priority 0;
			tcp flags & (syn|ack) == syn|ack tcp dport != @s add @s { tcp dport } drop; }`
	losesSomeSYNs = `chain c { type filter hook input priority 0;
			tcp flags & (syn|ack) == syn numgen random mod 100 < 30 drop; }`
	losesSome = `chain c { type filter hook input priority 0; meta l4proto tcp numgen random mod 100 < 10 drop; }
		chain d { type filter hook output priority 0; meta l4proto tcp numgen random mod 100 < 10 drop; }`
	limitsSYNs = `chain c { type filter hook input priority 0;
			tcp flags & (syn|ack) == syn limit rate over 2/second burst 1 packets drop; }`
)

// On real kernels: the first SYN of each connection, or its SYN-ACK, is lost, and what looks like it. The round trip is
// known in each.
func TestFirstSYNsOfKernels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		want  report.Reason
	}{
		"first SYN": {losesSYN, report.SynLost}, "first SYN-ACK": {losesSYNACK, report.SynAckLost},
		"SYNs by chance": {losesSomeSYNs, report.Established}, "all by chance": {losesSome, report.Established},
		"a limit on SYNs": {limitsSYNs, report.Established},
	} {
		for _, f := range lab.Families {
			t.Run(name+" "+string(f), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				at := s.listen(stalled{family: f, backlog: 100})
				s.nft(s.Server(), c.rules)
				p := planFor([]netip.AddrPort{at})
				p.Paths, p.DeadlineSeconds, p.Alpha = 8, 60, 1e-3
				p.Scenarios, p.KernelConnections = []plan.Scenario{{Type: "Handshake"}}, plan.Off
				must(t, p.Validate())
				r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()}).Results[0]
				if r.Reason != c.want && c.want != report.Established || r.Reason == report.SynLost && c.want != r.Reason ||
					r.Reason == report.SynAckLost && c.want != r.Reason {
					t.Errorf("%s / %s: %s\n%s", r.Verdict, r.Reason, r.Message, r.Evidence)
				}
				// Whose repetition comes first, the SYN's or the SYN-ACK's, is chance.
				if h := r.Handshakes; h != nil && (r.RTTMicros == nil || h.ConnectMicros.Max < r.RTTMicros.P99) ||
					r.Verdict == report.Fail && (h == nil || r.StallMillis != 1000 || h.Repeated+h.SYNACKsRepeated < 7) {
					t.Errorf("stall %d ms, round trip %+v, handshakes %+v", r.StallMillis, r.RTTMicros, h)
				}
				t.Log(r.Reason, r.Message)
			})
		}
	}
}
