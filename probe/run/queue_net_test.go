//go:build net

package run_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// stalled is a listener whose application never calls accept().
type stalled struct {
	family   lab.Family
	backlog  int
	deferred bool // TCP_DEFER_ACCEPT
	queues   int  // number of listeners that share the port (SO_REUSEPORT); 0: one
}

func (l stalled) String() string {
	return fmt.Sprintf("%s backlog %d deferred %t queues %d", l.family, l.backlog, l.deferred, l.queues)
}

// listen opens the listener in the server's namespace until the test ends.
func (s *site) listen(l stalled) netip.AddrPort {
	s.t.Helper()
	at := netip.AddrPortFrom(s.ServerAddr(l.family), 0)
	must(s.t, s.Server().Do(func() error {
		for range max(l.queues, 1) {
			fd, err := l.open(at)
			if err != nil {
				return err
			}
			s.t.Cleanup(func() { unix.Close(fd) })
			if at, err = boundTo(fd); err != nil {
				return err
			}
		}
		return nil
	}))
	return at
}

func (l stalled) open(at netip.AddrPort) (fd int, err error) {
	family, address := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte(at.Addr().AsSlice()[:4]),
		Port: int(at.Port())})
	if l.family == lab.IPv6 {
		family, address = unix.AF_INET6, &unix.SockaddrInet6{Addr: at.Addr().As16(), Port: int(at.Port())}
	}
	if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	options := map[int]int{unix.SO_REUSEPORT: min(l.queues, 1)}
	for option, value := range options {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, value); err != nil {
			return fd, err
		}
	}
	if l.deferred {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30); err != nil {
			return fd, err
		}
	}
	if err := unix.Bind(fd, address); err != nil {
		return fd, err
	}
	return fd, unix.Listen(fd, l.backlog)
}

func boundTo(fd int) (netip.AddrPort, error) {
	name, err := unix.Getsockname(fd)
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), err
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), err
	}
	return netip.AddrPort{}, err
}

// sysctl sets a kernel parameter in the server's namespace.
func (s *site) sysctl(name, value string) {
	s.t.Helper()
	must(s.t, s.Server().Do(func() error { return os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0) }))
}

// waiting returns how many connections are in the accept queues of a port, and the limit of the queues, as the server's
// kernel says.
func (s *site) waiting(at netip.AddrPort) (n, room int) {
	s.t.Helper()
	family := uint8(unix.AF_INET)
	if at.Addr().Is6() {
		family = unix.AF_INET6
	}
	var all []*netlink.Socket
	must(s.t, s.Server().Do(func() (err error) { all, err = netlink.SocketDiagTCP(family); return err }))
	for _, l := range all {
		if l.State == unix.BPF_TCP_LISTEN && l.ID.SourcePort == at.Port() {
			n, room = n+int(l.RQueue), room+int(l.WQueue)
		}
	}
	return n, room
}

// fill runs AcceptQueue against the targets.
func (s *site) fill(limit int, targets ...netip.AddrPort) map[string]report.Result {
	s.t.Helper()
	p := planFor(targets)
	p.Paths, p.PacketsPerSecond, p.DeadlineSeconds = 1, 2000, 60
	p.Scenarios = []plan.Scenario{{Type: "AcceptQueue", AcceptQueue: &plan.AcceptQueue{MaxConnections: limit}}}
	must(s.t, p.Validate())
	started := time.Now()
	r := s.carryOut(childTask{Plan: p, Home: s.Client().Path()})
	s.t.Logf("%v, %d segments", time.Since(started).Round(time.Millisecond), r.SegmentsSent)
	if r.LeakedFlows != 0 {
		s.t.Errorf("%d flows leaked", r.LeakedFlows)
	}
	found := map[string]report.Result{}
	for _, result := range r.Results {
		found[result.Target] = result
	}
	return found
}

// expectFull compares the result for a stalled listener with what the server's kernel says.
func (s *site) expectFull(l stalled, at netip.AddrPort, r report.Result, behaviour string) {
	s.t.Helper()
	places := l.backlog + 1
	if r.Reason != report.QueueOverflowed || r.Queue == nil ||
		*r.Queue != (report.Queue{Least: places, Most: places, Behaviour: behaviour}) {
		s.t.Errorf("%s: %s / %s %+v, want %d places and %s\n%s\n%s", l, r.Verdict, r.Reason, r.Queue, places, behaviour,
			r.Message, r.Evidence)
	}
	if n, room := s.waiting(at); n != places || room != l.backlog {
		s.t.Errorf("%s: the kernel has %d connections in a queue for %d", l, n, room)
	}
}

// What happens to a handshake in progress when the queue is full depends on the kernel's settings. It is reset only
// without SYN cookies.
func TestQueuesUnderEverySetting(t *testing.T) {
	for _, c := range []struct{ cookies, abort, behaviour string }{
		{"0", "0", "IgnoredSyn"}, {"1", "0", "IgnoredSyn"}, {"2", "0", "IgnoredSyn"},
		{"0", "1", "Reset"}, {"1", "1", "Reset"}, {"2", "1", "IgnoredSyn"},
	} {
		t.Run("syncookies "+c.cookies+" abort "+c.abort, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.sysctl("tcp_syncookies", c.cookies)
			s.sysctl("tcp_abort_on_overflow", c.abort)
			for _, l := range []stalled{{family: lab.IPv4, backlog: 1}, {family: lab.IPv6, backlog: 5},
				{family: lab.IPv4, backlog: 5, deferred: true}} {
				at := s.listen(l)
				s.expectFull(l, at, s.fill(20, at)[at.String()], c.behaviour)
			}
		})
	}
}

// Listeners that share a port have one queue each. A source port always reaches the same one. Connections that the
// kernel queued while the prober already reset others are not counted. Whether a handshake in progress belongs to a
// full queue is chance. If so, that queue is named. If not, the result says that there may be several.
func TestQueuesOfSharedPort(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 6 {
		at := s.listen(stalled{family: lab.IPv4, backlog: 5, queues: 4})
		r := s.fill(60, at)[at.String()]
		t.Log(r.Reason, r.Message)
		n, room := s.waiting(at)
		right := room == 20 && n >= 6 && n <= 24
		switch r.Reason {
		case report.QueueOverflowed:
			right = right && r.Queue.Least >= 6 && r.Queue.Most >= r.Queue.Least && r.Queue.Most <= n
		case report.SynLimited:
			right = right && strings.Contains(r.Message, "SO_REUSEPORT")
		case report.QueueOrLimit, report.PathLossy: // too few of the spare ports reach the full queue
			right = right && (strings.Contains(r.Message, "chance is not excluded") ||
				strings.Contains(r.Message, "SO_REUSEPORT"))
		default:
			right = false
		}
		if !right {
			t.Errorf("%s %+v, the kernel has %d in queues for %d\n%s", r.Reason, r.Queue, n, room, r.Message)
		}
	}
}

// The measured depth is the limit that the kernel states.
func TestQueueDepths(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all []stalled
	var targets []netip.AddrPort
	for _, backlog := range []int{1, 5, 128, 511} {
		for _, f := range lab.Families {
			all = append(all, stalled{family: f, backlog: backlog})
			targets = append(targets, s.listen(all[len(all)-1]))
		}
	}
	for i, l := range all {
		s.expectFull(l, targets[i], s.fill(600, targets[i])[targets[i].String()], "IgnoredSyn")
	}
}
