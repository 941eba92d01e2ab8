//go:build net

package run_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// secondDevice is a second link between client and server.
const secondDevice = "second0"

// Next hops on the two links.
var (
	firstHops  = map[lab.Family]string{lab.IPv4: "192.0.2.2", lab.IPv6: "2001:db8::2"}
	secondHops = map[lab.Family]string{lab.IPv4: "198.18.5.2", lab.IPv6: "fd00:5::2"}
)

// twoLinks is a site whose client has two links to the server, and addresses of the server behind both.
func twoLinks(t *testing.T) *site {
	s := newSite(t)
	s.in(s.Client(), "", "ip", "link", "add", secondDevice, "type", "veth", "peer", "name", secondDevice, "netns",
		s.Server().Path())
	for n, ns := range []*lab.Namespace{s.Client(), s.Server()} {
		s.in(ns, "", "ip", "link", "set", secondDevice, "up")
		s.in(ns, "", "ip", "address", "add", fmt.Sprintf("198.18.5.%d/24", 1+n), "dev", secondDevice)
		s.in(ns, "", "ip", "address", "add", fmt.Sprintf("fd00:5::%d/64", 1+n), "nodad", "dev", secondDevice)
	}
	s.in(s.Client(), "", "sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=1", "net.ipv6.fib_multipath_hash_policy=1")
	return s
}

// byBoth makes both links next hops on the way to a target.
func (s *site) byBoth(f lab.Family) netip.AddrPort {
	s.t.Helper()
	to := s.DistantAddr(f, 3)
	s.in(s.Client(), "", "ip", "route", "replace", to.String(), "nexthop", "via", firstHops[f], "dev", lab.ClientDevice,
		"nexthop", "via", secondHops[f], "dev", secondDevice)
	return netip.AddrPortFrom(to, lab.Echo.Port())
}

// in runs a program in a namespace.
func (s *site) in(ns *lab.Namespace, stdin, name string, args ...string) {
	s.t.Helper()
	labtest.Exec(s.t, ns, stdin, name, args...)
}

// dead drops what comes in at the server for the echo server and matches.
func (s *site) dead(match string) {
	s.t.Helper()
	s.in(s.Server(), fmt.Sprintf("table inet dead { chain c { type filter hook prerouting priority raw; tcp dport %d %s "+
		"drop; }; }", lab.Echo.Port(), match), "nft", "-f", "-")
}

// handshakes asks for handshakes with a target from so many source ports.
func (s *site) handshakes(paths int, target netip.AddrPort) report.Result {
	s.t.Helper()
	p := planFor([]netip.AddrPort{target})
	p.Paths, p.Scenarios, p.Alpha, p.DeadlineSeconds = paths, []plan.Scenario{{Type: "Handshake"}}, 1e-3, 120
	results := s.carryOut(childTask{p, "", s.Client().Path()}).Results
	if len(results) != 1 {
		s.t.Fatalf("%d results", len(results))
	}
	return results[0]
}

// reaches reports whether an ordinary connection of the client's kernel from that port is established.
func (s *site) reaches(port uint16, target netip.AddrPort) (yes bool) {
	s.t.Helper()
	must(s.t, s.Client().Do(func() error {
		d := net.Dialer{LocalAddr: &net.TCPAddr{Port: int(port)}, Timeout: 900 * time.Millisecond}
		c, err := d.DialContext(s.t.Context(), "tcp", target.String())
		if err != nil {
			return nil //nolint:nilerr // the answer
		}
		yes = true
		return c.Close()
	}))
	return yes
}

// Of the flows of a host with two next hops, those by the one behind which the port is dead fail, and the finding names
// it. Ordinary connections of the kernel from the same ports fail, too.
func TestDeadPortBehindOneOfTwoNextHops(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			s := twoLinks(t)
			target := s.byBoth(f)
			s.dead("iifname " + secondDevice)
			r := s.handshakes(20, target)
			says := fmt.Sprintf("the next hop tells them apart: all %d flows by %s on device %s fail, none of %d by %s on "+
				"device %s", r.Flows.Fail, secondHops[f], secondDevice, r.Flows.Pass, firstHops[f], lab.ClientDevice)
			if r.Verdict != report.Fail || r.Reason != report.Filtered || r.Flows.Pass == 0 ||
				!strings.Contains(r.Message, says) {
				t.Errorf("%s / %s %+v: %s\nwant %q in it", r.Verdict, r.Reason, r.Flows, r.Message, says)
			}
			if n := len(r.NextHops); n != 2 || r.NextHops[0].Device != secondDevice || r.NextHops[0].Pass > 0 {
				t.Errorf("next hops %+v", r.NextHops)
			}
			if r.Share == nil {
				t.Fatalf("no share: %s", r.Message)
			}
			for _, port := range r.Share.Ports[:min(3, len(r.Share.Ports))] {
				if s.reaches(port, target) {
					t.Errorf("the kernel's own connection from port %d is established", port)
				}
			}
		})
	}
}

// Where as many flows fail by either next hop, none is named.
func TestDeadPathsBehindBothNextHops(t *testing.T) {
	t.Parallel()
	s := twoLinks(t)
	target := s.byBoth(lab.IPv4)
	s.dead("tcp sport & 1 == 1")
	r := s.handshakes(20, target)
	if r.Verdict != report.Fail || r.Flows.Pass == 0 || strings.Contains(r.Message, "next hop") || len(r.NextHops) != 2 {
		t.Errorf("%s / %s %+v, next hops %+v: %s", r.Verdict, r.Reason, r.Flows, r.NextHops, r.Message)
	}
}

// A rule for the target's port sends flows by another device and from its address.
func TestRuleByPort(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			s := twoLinks(t)
			target := netip.AddrPortFrom(s.DistantAddr(f, 3), lab.Echo.Port())
			version := map[lab.Family]string{lab.IPv4: "-4", lab.IPv6: "-6"}[f]
			s.in(s.Client(), "", "ip", version, "route", "add", "default", "via", secondHops[f], "dev", secondDevice,
				"table", "100")
			s.in(s.Client(), "", "ip", version, "rule", "add", "ipproto", "tcp", "dport", fmt.Sprint(lab.Echo.Port()),
				"lookup", "100")
			s.dead("iifname != " + secondDevice)
			found := s.execute("", target)
			if len(found) != 2 {
				t.Errorf("%d results, want 2", len(found))
			}
			for key, r := range found {
				want := report.NextHop{Device: secondDevice, Address: secondHops[f], Pass: 2}
				if r.Verdict != report.Pass || len(r.NextHops) != 1 || r.NextHops[0] != want {
					t.Errorf("%s: %s / %s, next hops %+v, want %+v: %s", key, r.Verdict, r.Reason, r.NextHops, want, r.Message)
				}
			}
			if !s.reaches(50000, target) {
				t.Error("the kernel's own connection is not established")
			}
		})
	}
}

// Two gateways on one device are two next hops.
func TestDeadPortBehindOneOfTwoGateways(t *testing.T) {
	t.Parallel()
	s := twoLinks(t)
	const gateway, device, hardware = "192.0.2.77", "second1", "02:00:00:00:00:77"
	s.in(s.Server(), "", "ip", "link", "add", "link", lab.ServerDevice, "name", device, "address", hardware,
		"type", "macvlan", "mode", "bridge")
	s.in(s.Server(), "", "ip", "link", "set", device, "up")
	s.in(s.Client(), "", "ip", "neighbour", "add", gateway, "lladdr", hardware, "nud", "permanent", "dev",
		lab.ClientDevice)
	target := netip.AddrPortFrom(s.DistantAddr(lab.IPv4, 3), lab.Echo.Port())
	s.in(s.Client(), "", "ip", "route", "replace", target.Addr().String(), "nexthop", "via", firstHops[lab.IPv4], "dev",
		lab.ClientDevice, "nexthop", "via", gateway, "dev", lab.ClientDevice)
	s.dead("iifname " + device)
	r := s.handshakes(20, target)
	says := fmt.Sprintf("all %d flows by %s on device %s fail, none of %d by %s", r.Flows.Fail, gateway, lab.ClientDevice,
		r.Flows.Pass, firstHops[lab.IPv4])
	if r.Verdict != report.Fail || r.Flows.Pass == 0 || !strings.Contains(r.Message, says) {
		t.Errorf("%s / %s %+v: %s\nwant %q in it", r.Verdict, r.Reason, r.Flows, r.Message, says)
	}
}
