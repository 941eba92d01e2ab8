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

// Rules of a router that knows connections.
const (
	dropsInvalid = `table inet strict { chain c { type filter hook forward priority 0;
ct state invalid drop
}; }`
	resetsInvalid = `table inet strict { chain c { type filter hook forward priority 0;
meta l4proto tcp ct state invalid reject with tcp reset
}; }`
	newPorts = `table inet nat { chain c { type nat hook postrouting priority srcnat;
oifname "` + lab.ServerPort + `" masquerade random,persistent
}; }`
	losesOfTwenty = `
table inet loss { chain c { type filter hook forward priority -300;
numgen random mod 100 < 5 drop
}; }`
)

// tracks lets the router know connections by these rules, and forget them after so many seconds of silence. loose: it
// takes up what it does not know.
func (s *site) tracks(rules, timeout, loose string) {
	s.t.Helper()
	s.in(s.Switch(), rules, "nft", "-f", "-")
	for _, setting := range []string{"timeout_established=" + timeout, "loose=" + loose} {
		s.in(s.Switch(), "", "sysctl", "-q", "-w", "net.netfilter.nf_conntrack_tcp_"+setting)
	}
}

// idles runs IdleTimeout with at most so many seconds of silence.
func (s *site) idles(target netip.AddrPort, most int) (result report.Result, perhaps int) {
	s.t.Helper()
	p := planFor([]netip.AddrPort{target})
	p.DeadlineSeconds = 60
	p.Scenarios = []plan.Scenario{{Type: "IdleTimeout", IdleTimeout: &plan.IdleTimeout{MaxSeconds: most}}}
	must(s.t, p.Validate())
	r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
	s.t.Logf("%d segments, %d flows left, %d perhaps: %s / %s: %s", r.SegmentsSent, r.LeakedFlows, r.UnconfirmedFlows,
		r.Results[0].Verdict, r.Results[0].Reason, r.Results[0].Message)
	if r.LeakedFlows != 0 {
		s.t.Errorf("%d flows leaked", r.LeakedFlows)
	}
	return r.Results[0], r.UnconfirmedFlows
}

// What a router's connection tracking does to idle connections is found, and how; where it lets them be, nothing is.
func TestIdleTimeoutOfRouters(t *testing.T) {
	for _, c := range []struct {
		name, rules, timeout, loose string
		want                        report.Reason
		words                       string
	}{
		{"none", "", "3600", "0", report.IdleHeld, "hold 6."},
		{"remembers", dropsInvalid, "3600", "0", report.IdleHeld, "hold 6."},
		{"remembers, loss", dropsInvalid + losesOfTwenty, "3600", "0", report.IdleHeld, "hold 6."},
		{"takes up what it does not know", dropsInvalid, "3", "1", report.IdleHeld, "hold 6."},
		{"forgets", dropsInvalid, "3", "0", report.IdleDropped, "connections hold 2."},
		{"forgets, loss", dropsInvalid + losesOfTwenty, "3", "0", report.IdleDropped, "connections hold 2."},
		{"resets", resetsInvalid, "3", "0", report.IdleReset, "RST's hop limit (64) differs from the peer's (63)"},
		{"maps anew", newPorts, "3", "1", report.IdleReset, "the peer or something that looks like it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range lab.Families {
				t.Run(fmt.Sprint(f), func(t *testing.T) {
					t.Parallel()
					s := newRouted(t)
					if c.rules != "" {
						s.tracks(c.rules, c.timeout, c.loose)
					}
					s.expectIdle(f, c.want, c.words, c.rules != newPorts)
				})
			}
		})
	}
}

// expectIdle runs IdleTimeout. Unless somebody cannot be reached any more, nothing is left at the target then.
func (s *site) expectIdle(f lab.Family, want report.Reason, words string, reached bool) {
	s.t.Helper()
	r, perhaps := s.idles(s.serves(f, 0, 0), 6)
	if r.Reason != want || !strings.Contains(r.Message, words) {
		s.t.Errorf("%s / %s: %s\n%s", r.Verdict, r.Reason, r.Message, r.Evidence)
	}
	if reached && perhaps == 0 {
		labtest.AwaitEmpty(s.t, "sockets", time.Second, s.Server().Sockets, s.ClientAddr(f))
	}
}

// An application that closes what brings no request is no fault of the path.
func TestIdleTimeoutOfApplication(t *testing.T) {
	for name, linger := range map[string]int{"a FIN": -1, "an RST": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newRouted(t)
			target := s.serves(lab.IPv4, 3*time.Second, linger)
			r, _ := s.idles(target, 6)
			if r.Reason != report.PeerClosed || !strings.Contains(r.Message, "by "+name+" 3.") {
				t.Errorf("%s / %s: %s\n%s", r.Verdict, r.Reason, r.Message, r.Evidence)
			}
		})
	}
}

// A target that sends keep-alives itself leaves no silence to a device that would forget connections.
func TestIdleTimeoutWhereTheTargetKeepsAlive(t *testing.T) {
	t.Parallel()
	s := newRouted(t)
	s.tracks(dropsInvalid, "3", "0")
	r, _ := s.idles(netip.AddrPortFrom(s.ServerAddr(lab.IPv4), lab.Sink.Port()), 6)
	if r.Reason != report.PeerKeepsAlive {
		t.Errorf("%s / %s: %s\n%s", r.Verdict, r.Reason, r.Message, r.Evidence)
	}
}

// serves starts a server that sends no keep-alives and closes each connection that late; 0: never. Linger 0: by an RST.
func (s *site) serves(f lab.Family, closes time.Duration, linger int) netip.AddrPort {
	s.t.Helper()
	target := netip.AddrPortFrom(s.ServerAddr(f), 7999)
	var l net.Listener
	must(s.t, s.Server().Do(func() (err error) {
		l, err = (&net.ListenConfig{KeepAlive: -1}).Listen(s.t.Context(), "tcp", target.String())
		return err
	}))
	go func() {
		var all []net.Conn
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			all = append(all, c) // one that is not referenced any more would be closed
			if closes > 0 {
				time.AfterFunc(closes, func() {
					_ = c.(*net.TCPConn).SetLinger(linger)
					_ = c.Close()
				})
			}
		}
		for _, c := range all {
			_ = c.Close()
		}
	}()
	s.t.Cleanup(func() { _ = l.Close() })
	return target
}
