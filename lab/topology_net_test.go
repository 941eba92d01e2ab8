//go:build net

package lab

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// In every topology, ordinary connections work for both families, and the switch's faults affect them.
func TestEveryTopologyCarriesBothFamilies(t *testing.T) {
	for _, topology := range append(Topologies(), "") {
		t.Run(string(topology), func(t *testing.T) {
			l := newLabOrSkip(t, Options{Topology: topology, Conntrack: true})
			serve(t, l)
			for _, f := range Families {
				exchange(t, l, f, 10000)
				connect(t, l, netip.AddrPortFrom(l.DistantAddr(f, 7), 7000))
			}
			j := inject(t, l, "everything")
			if err := tryToConnect(l, l.Target(IPv4, Echo)); !errors.Is(err, unix.EINPROGRESS) {
				t.Errorf("connecting through a switch that drops everything: %v", err)
			}
			counters, err := j.Counters()
			if err != nil || counters[0].In.Dropped == 0 {
				t.Errorf("the switch counted %+v, %v", counters, err)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			exchange(t, l, IPv6, 1)
		})
	}
}

// newLabOrSkip skips the test if this machine's kernel lacks the topology's device. The kernel of test/guest has it.
func newLabOrSkip(t *testing.T, o Options) *Lab {
	t.Helper()
	l, err := New(t.Context(), o)
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// tryToConnect returns EINPROGRESS if there is no answer within 100 ms.
func tryToConnect(l *Lab, to netip.AddrPort) error {
	return l.Client().Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		timeout := unix.NsecToTimeval(int64(100 * time.Millisecond))
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout); err != nil {
			return err
		}
		return unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	})
}

// For a segment without a connection, each firewall does what its name says: no answer, an RST, or an ICMP error.
func TestFirewallsTreatUntrackedSegmentsAsTheySay(t *testing.T) {
	for topology, want := range map[Topology]string{FirewallDrop: "", FirewallReject: "R of the router",
		FirewallProhibit: "prohibited", DNAT: "R"} {
		l := newLab(t, Options{Topology: topology})
		for _, f := range Families {
			if got := answerToUntracked(t, l, f); got != want {
				t.Errorf("%s, %s: %q to an untracked segment, want %q", topology, f, got, want)
			}
		}
	}
}

// answerToUntracked sends an ACK without a connection to a closed port, and then a SYN. It returns the answer that
// arrived before that to the SYN.
func answerToUntracked(t *testing.T, l *Lab, f Family) string {
	t.Helper()
	c := newCable(t, l, f, fault.In)
	_, router := packetSocket(t, l.Switch(), ClientPort)
	copy(c.l2[:], router)
	back, _ := packetSocket(t, l.Client(), ClientDevice)
	untracked := segment.Segment{Source: c.source, Destination: netip.AddrPortFrom(l.TargetAddr(f), 9999), Flags: ack,
		Seq: seq.At(5), Ack: seq.At(9), WindowScale: -1}
	opening := untracked
	opening.Source, opening.Flags = netip.AddrPortFrom(untracked.Source.Addr(), 61001), syn
	c.send(0, untracked)
	c.send(1, opening)
	buffer := make([]byte, 2048)
	answer := ""
	for {
		n, err := read(back, buffer)
		if err != nil {
			t.Fatalf("%s: not even an answer to a SYN: %v", f, err)
		}
		s, u, err := segment.Parse(buffer[:n], segment.Ethernet, n)
		switch {
		case err != nil:
		case s != nil && s.Destination.Port() == 61001:
			return answer
		case s != nil && s.Destination.Port() == 61000:
			answer = s.Flags.String()
			if s.HopLimit == 64 {
				answer += " of the router"
			}
		case u != nil && slices.Contains([][2]uint8{{3, 13}, {1, 1}}, [2]uint8{u.Type, u.Code}):
			answer = "prohibited"
		}
	}
}

func TestLoopbackHasOneDirection(t *testing.T) {
	l := newLab(t, Options{Topology: Loopback})
	if _, err := l.Inject(parsed(t, "everything@in")...); err == nil {
		t.Error("a fault of one direction was accepted on lo")
	}
	for _, topology := range []Topology{Loopback, DNAT} {
		l := newLab(t, Options{Topology: topology})
		if _, err := l.Inject(parsed(t, "delay=1ms")...); err == nil {
			t.Errorf("%s: a delay was accepted", topology)
		}
	}
}

func TestUnknownTopologyIsRefused(t *testing.T) {
	if l, err := New(t.Context(), Options{Topology: "star"}); err == nil {
		l.Close()
		t.Error("a lab of an unknown topology was made")
	}
}
