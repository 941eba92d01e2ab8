//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// asking runs Handshake and SequenceWrap with several flows.
func (s *site) asking(paths int, target netip.AddrPort) map[string]report.Result {
	s.t.Helper()
	p := planFor([]netip.AddrPort{target})
	p.Paths, p.DeadlineSeconds = paths, 90
	found := map[string]report.Result{}
	for _, r := range s.carryOut(childTask{Plan: p, Home: s.Client().Path()}).Results {
		found[r.Scenario] = r
	}
	return found
}

// A host that refuses by ICMP sends few such errors. Flows that got none are not called filtered.
func TestLimitedICMPErrors(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{
		`reject with icmp port-unreachable`, // the kernel's own limit: one in a second to each host
		`limit rate 1/second burst 1 packets reject with icmp admin-prohibited`,
	} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			target := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 7777)
			s.filter(fmt.Sprintf("tcp dport %d %s; tcp dport %[1]d drop", target.Port(), limit))
			found := s.asking(8, target)
			if r := found["Handshake"]; r.Reason != report.Unreachable {
				t.Errorf("Handshake: %s / %s, want Unreachable: %s\n%v", r.Verdict, r.Reason, r.Message, r.Evidence)
			}
			if r := found["SequenceWrap"]; r.Verdict != report.Inconclusive {
				t.Errorf("SequenceWrap: %s / %s, want Inconclusive: %s\n%v", r.Verdict, r.Reason, r.Message, r.Evidence)
			}
		})
	}
}

// A server that answers every SYN by a cookie holds nothing of a connection before the final ACK. That is told neither
// as a queue nor as a loss, and what is lost at 0 is found behind it.
func TestServerWithSYNCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.sysctl("tcp_syncookies", "2")
	target := s.Target(lab.IPv4, lab.Echo)
	for fault, want := range map[string]report.Reason{"": report.Delivered, "push-at-zero": report.SequenceZeroDropped} {
		stop := func() {}
		if fault != "" {
			stop = s.inject(fault)
		}
		found := s.asking(8, target)
		stop()
		if r := found["Handshake"]; r.Reason != report.Established {
			t.Errorf("%q: Handshake: %s / %s: %s\n%v", fault, r.Verdict, r.Reason, r.Message, r.Evidence)
		}
		if r := found["SequenceWrap"]; r.Reason != want {
			t.Errorf("%q: SequenceWrap: %s / %s, want %s: %s\n%v", fault, r.Verdict, r.Reason, want, r.Message, r.Evidence)
		}
	}
	if r := s.fill(40, target)[target.String()]; r.Reason != report.NotReached || r.Queue.Least != 40 {
		t.Errorf("AcceptQueue: %s / %s, want NotReached: %s\n%v", r.Verdict, r.Reason, r.Message, r.Evidence)
	}
}
