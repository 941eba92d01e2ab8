//go:build net

package run_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// noErrors makes a router keep its ICMP errors about packets that are too big to itself.
const noErrors = `table inet mute { chain c { type filter hook output priority 0;
icmp type destination-unreachable icmp code frag-needed drop
icmpv6 type packet-too-big drop
}; }`

// newRouted is a site with a router between client and server.
func newRouted(t *testing.T) *site {
	t.Helper()
	return &site{labtest.New(t, lab.Options{Topology: lab.DNAT}), t}
}

// mtus sets the MTU of the client's link, and of the router's towards the server.
func (s *site) mtus(client, narrow int) {
	s.t.Helper()
	for _, end := range []struct {
		at     *lab.Namespace
		device string
		mtu    int
	}{
		{s.Client(), lab.ClientDevice, client}, {s.Switch(), lab.ClientPort, client},
		{s.Server(), lab.ServerDevice, client}, {s.Switch(), lab.ServerPort, narrow},
	} {
		s.in(end.at, "", "ip", "link", "set", end.device, "mtu", fmt.Sprint(end.mtu))
	}
}

// sizes runs PathMTU against the targets.
func (s *site) sizes(targets ...netip.AddrPort) map[string]report.Result {
	s.t.Helper()
	p := planFor(targets)
	p.DeadlineSeconds, p.Scenarios = 60, []plan.Scenario{{Type: "PathMTU"}}
	must(s.t, p.Validate())
	r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
	s.t.Logf("%d segments", r.SegmentsSent)
	if r.LeakedFlows != 0 {
		s.t.Errorf("%d flows leaked", r.LeakedFlows)
	}
	found := map[string]report.Result{}
	for _, result := range r.Results {
		found[result.Target] = result
	}
	return found
}

// transfers reports whether an ordinary connection of the client's kernel gets more through than one segment, or
// repeats the first one again and again.
func (s *site) transfers(target netip.AddrPort) (all bool) {
	s.t.Helper()
	must(s.t, s.Client().Do(func() error {
		c, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", target.String())
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.(*net.TCPConn).SetLinger(0); err != nil {
			return err
		}
		written := make(chan struct{})
		go func() { // its buffer may be too small, and where nothing arrives only the end of the connection ends this
			defer close(written)
			_, _ = c.Write(make([]byte, 100_000))
		}()
		all, err = acknowledges(s.t.Context(), c.(*net.TCPConn), written)
		return err
	}))
	return all
}

// acknowledges waits until everything is acknowledged, or until one segment was repeated three times in vain.
func acknowledges(ctx context.Context, c *net.TCPConn, written <-chan struct{}) (all bool, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return false, err
	}
	for done := false; ctx.Err() == nil; {
		select {
		case <-written:
			done = true
		default:
		}
		var info *unix.TCPInfo
		left := 0
		failed := raw.Control(func(fd uintptr) {
			if left, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
				info, err = unix.GetsockoptTCPInfo(int(fd), syscall.IPPROTO_TCP, unix.TCP_INFO)
			}
		})
		switch {
		case failed != nil || err != nil:
			return false, errors.Join(failed, err)
		case left == 0 && done:
			return true, nil
		case info.Retransmits >= 3:
			return false, nil
		}
		time.Sleep(10 * time.Millisecond) // between looks at the kernel's state
	}
	return false, ctx.Err()
}

// Where full segments vanish, the verdict says so, and with which length; where a router answers, who it is. An
// ordinary connection's transfer agrees.
//
//nolint:gocognit // one table and what each row is held against
func TestPathMTUAgreesWithTheKernel(t *testing.T) {
	for _, c := range []struct {
		name           string
		client, narrow int
		mute           bool
		want           report.Reason
		words          string
	}{
		{"wide", 1500, 1500, false, report.SizesArrived, "up to 1500 bytes"},
		{"jumbo", 9000, 9000, true, report.SizesArrived, "up to 9000 bytes"},
		{"honest", 1500, 1400, false, report.PathMTUSignaled, "names an MTU of 1400"},
		{"jumbo, honest", 9000, 1500, false, report.PathMTUSignaled, "names an MTU of 1500"},
		{"black hole", 1500, 1400, true, report.PathMTUBlackhole, "of 1400 bytes arrive"},
		{"black hole by one byte", 1500, 1499, true, report.PathMTUBlackhole, "of 1499 bytes arrive"},
		{"jumbo, black hole", 9000, 4000, true, report.PathMTUBlackhole, "of 4000 bytes arrive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newRouted(t)
			s.mtus(c.client, c.narrow)
			if c.mute {
				s.in(s.Switch(), noErrors, "nft", "-f", "-")
			}
			for _, f := range lab.Families {
				target := netip.AddrPortFrom(s.ServerAddr(f), lab.Sink.Port())
				r := s.sizes(target)[target.String()]
				words := c.words
				if c.want == report.PathMTUSignaled && !strings.Contains(r.Message, s.routerAddr(f)+" answers") {
					t.Errorf("%s: the router is not named: %s", f, r.Message)
				}
				if r.Reason != c.want || !strings.Contains(r.Message, words) {
					t.Errorf("%s: %s / %s: %s\n%s", f, r.Verdict, r.Reason, r.Message, r.Evidence)
				}
				if got := s.transfers(target); got == (r.Verdict == report.Fail) {
					t.Errorf("%s: %s, and the kernel's transfer succeeds: %t", f, r.Verdict, got)
				}
			}
			labtest.ExpectNothingLeft(t, s.Lab)
		})
	}
}

// routerAddr is the router's address towards the client.
func (s *site) routerAddr(f lab.Family) string {
	if f == lab.IPv4 {
		return "192.0.2.254"
	}
	return "2001:db8::fe"
}

// A router that lowers the MSS of SYN-ACKs leaves nothing to be lost.
func TestClampedMSSIsNoBlackHole(t *testing.T) {
	t.Parallel()
	s := newRouted(t)
	s.mtus(1500, 1400)
	s.in(s.Switch(), noErrors+`
table inet clamp { chain c { type filter hook forward priority 0; tcp flags syn tcp option maxseg size set 1340; }; }`,
		"nft", "-f", "-")
	for _, f := range lab.Families {
		target := netip.AddrPortFrom(s.ServerAddr(f), lab.Sink.Port())
		r := s.sizes(target)[target.String()]
		if r.Reason != report.SizesArrived || !strings.Contains(r.Message, "the MSS in its SYN-ACK is 1340") {
			t.Errorf("%s: %s / %s: %s", f, r.Verdict, r.Reason, r.Message)
		}
		if !s.transfers(target) {
			t.Errorf("%s: the kernel's transfer stalls", f)
		}
	}
}

// What an echo server sends back shows the way back. Every kind of server can be asked.
func TestPathMTUOfServers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for server, want := range map[lab.Server]string{
		lab.Echo: "On the way back", lab.Sink: "The way back was not asked",
		lab.Banner:   "On the way back all data came, in IP packets of up to",
		lab.Deferred: "On the way back",
	} {
		for _, f := range lab.Families {
			target := s.Target(f, server)
			if r := s.sizes(target)[target.String()]; r.Reason != report.SizesArrived || !strings.Contains(r.Message, want) {
				t.Errorf("%s %s: %s / %s: %s\n%s", server, f, r.Verdict, r.Reason, r.Message, r.Evidence)
			}
		}
	}
}
