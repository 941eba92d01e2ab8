//go:build net

package route_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

// hosts is a client with three devices that lead nowhere, and neighbours on each that are known for good: number 1 and
// 2 on each device. Their Ethernet addresses tell them apart.
type hosts struct {
	t *testing.T
	*lab.Namespace
}

func newHosts(t *testing.T) hosts {
	t.Helper()
	h := hosts{t, newLab(t).Client()}
	for i := range 3 {
		h.ip(fmt.Sprintf("link add d%d type veth peer name p%d", i, i), fmt.Sprintf("link set d%d up", i),
			fmt.Sprintf("link set p%d up", i),
			fmt.Sprintf("address add 10.77.%d.100/24 dev d%d", i, i),
			fmt.Sprintf("address add fd00:%d::100/64 nodad dev d%d", i, i))
		for n := 1; n <= 2; n++ {
			h.ip(fmt.Sprintf("neighbour add 10.77.%d.%d lladdr 02:00:00:00:%02d:%02d nud permanent dev d%d", i, n, i, n, i),
				fmt.Sprintf("neighbour add fd00:%d::%d lladdr 02:00:00:00:%02d:%02d nud permanent dev d%d", i, n, i, n, i))
		}
	}
	return h
}

// ip runs ip(8) with each line.
func (h hosts) ip(lines ...string) {
	h.t.Helper()
	for _, line := range lines {
		h.run("ip", strings.Fields(line)...)
	}
}

func (h hosts) run(name string, args ...string) {
	h.t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(h.t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Run(cmd); err != nil {
		h.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, &out)
	}
}

// hashPorts makes the kernel's hash over next hops look at the ports, or only at the addresses.
func (h hosts) hashPorts(yes bool) {
	h.t.Helper()
	policy := map[bool]string{false: "0", true: "1"}[yes]
	h.run("sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy="+policy, "net.ipv6.fib_multipath_hash_policy="+policy)
}

// went is where a SYN of the kernel went.
type went struct {
	device   int
	source   netip.Addr
	hardware string
}

// connect has the kernel connect from a port, on a socket bound to that and perhaps to a device, and sees where its SYN
// goes.
func connect(port uint16, remote netip.AddrPort, device string) (w went, err error) {
	tap, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(binary.BigEndian.Uint16([]byte{0, 3}))<<8)
	if err != nil {
		return w, err
	}
	defer unix.Close(tap)
	family, local, to := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(port)}),
		unix.Sockaddr(&unix.SockaddrInet4{Port: int(remote.Port())})
	if remote.Addr().Is6() {
		family, local = unix.AF_INET6, &unix.SockaddrInet6{Port: int(port)}
		to = &unix.SockaddrInet6{Port: int(remote.Port()), Addr: remote.Addr().As16()}
	} else {
		to.(*unix.SockaddrInet4).Addr = remote.Addr().As4()
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return w, err
	}
	defer unix.Close(fd)
	if device != "" {
		if err := unix.BindToDevice(fd, device); err != nil {
			return w, err
		}
	}
	if err := unix.Bind(fd, local); err != nil {
		return w, err
	}
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return w, err
	}
	return seen(tap, port)
}

// seen reads the tap until the SYN from a port is there.
func seen(tap int, port uint16) (w went, err error) {
	limit := unix.NsecToTimeval(int64(5 * time.Second))
	if err := unix.SetsockoptTimeval(tap, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return w, err
	}
	for {
		frame := make([]byte, 200)
		n, from, err := unix.Recvfrom(tap, frame, 0)
		if err != nil {
			return w, err
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if !ok || n < 14+40 || link.Pkttype != unix.PACKET_OUTGOING {
			continue
		}
		at, address, protocol := 14+20, frame[14+12:14+16], frame[14+9]
		if frame[14]>>4 == 6 {
			at, address, protocol = 14+40, frame[14+8:14+24], frame[14+6]
		}
		if protocol != unix.IPPROTO_TCP || binary.BigEndian.Uint16(frame[at:]) != port {
			continue
		}
		w.source, _ = netip.AddrFromSlice(address)
		w.device, w.hardware = link.Ifindex, net.HardwareAddr(frame[:6]).String()
		return w, nil
	}
}

// agree compares the ways of many ports with those of ordinary connections of the kernel, and returns how many next
// hops there were.
func (h hosts) agree(name string, remote netip.AddrPort, device string) int {
	h.t.Helper()
	var hops []string
	must(h.t, h.Do(func() error {
		k, err := route.Open(device)
		if err != nil {
			return err
		}
		defer k.Close()
		for port := uint16(61000); port < 61040; port++ {
			hop, err := h.compare(k, port, remote, device)
			if err != nil {
				return fmt.Errorf("%s: from port %d: %w", name, port, err)
			}
			if !slices.Contains(hops, hop) {
				hops = append(hops, hop)
			}
		}
		return nil
	}))
	return len(hops)
}

// compare compares the way of one port with that of an ordinary connection, and returns the next hop's Ethernet
// address.
func (h hosts) compare(k *route.Kernel, port uint16, remote netip.AddrPort, device string) (string, error) {
	w, err := k.Choose(port, remote)
	if err != nil {
		return "", err
	}
	got, err := connect(port, remote, device)
	if err != nil {
		return "", err
	}
	l, err := net.InterfaceByIndex(w.Index)
	if err != nil {
		return "", err
	}
	b := w.Next.AsSlice()
	hardware := fmt.Sprintf("02:00:00:00:0%s:%02d", l.Name[1:], b[len(b)-1])
	if got != (went{w.Index, w.Source, hardware}) {
		return "", fmt.Errorf("the kernel goes by %+v, asked it says %+v (%s)", got, w, hardware)
	}
	if again, err := k.Of(netip.AddrPortFrom(w.Source, port), remote); err != nil || again != w {
		return "", fmt.Errorf("%+v, %w; of the flow: %+v", w, err, again)
	}
	return hardware, nil
}

// The way of a flow is that of an ordinary connection of the kernel from the same port, however the kernel chooses.
func TestChooseAgreesWithTheKernel(t *testing.T) {
	const to4, to6 = "203.0.113.9", "2001:db8:9::9"
	for _, c := range []struct {
		name   string
		policy bool // the hash looks at ports
		device string
		setup  []string
		hops   int
	}{
		{"two devices", true, "", []string{
			"route add 203.0.113.9 nexthop via 10.77.0.1 dev d0 nexthop via 10.77.1.1 dev d1",
			"route add 2001:db8:9::9 nexthop via fd00:0::1 dev d0 nexthop via fd00:1::1 dev d1"}, 2},
		{"two devices, by addresses", false, "", []string{
			"route add 203.0.113.9 nexthop via 10.77.0.1 dev d0 nexthop via 10.77.1.1 dev d1",
			"route add 2001:db8:9::9 nexthop via fd00:0::1 dev d0 nexthop via fd00:1::1 dev d1"}, 1},
		{"two gateways on one device", true, "", []string{
			"route add default nexthop via 10.77.0.1 dev d0 nexthop via 10.77.0.2 dev d0",
			"-6 route add default nexthop via fd00:0::1 dev d0 nexthop via fd00:0::2 dev d0"}, 2},
		{"three with weights", true, "", []string{
			"route add 203.0.113.9 nexthop via 10.77.0.1 dev d0 weight 1 nexthop via 10.77.1.1 dev d1 weight 2 " +
				"nexthop via 10.77.2.1 dev d2 weight 3",
			"route add 2001:db8:9::9 nexthop via fd00:0::1 dev d0 weight 1 nexthop via fd00:1::1 dev d1 weight 2 " +
				"nexthop via fd00:2::1 dev d2 weight 3"}, 3},
		{"a group of next-hop objects", true, "", append(nextHops(), "nexthop add id 100 group 10/11",
			"nexthop add id 200 group 20/21", "route add 203.0.113.9 nhid 100", "route add 2001:db8:9::9 nhid 200"), 2},
		{"a resilient group", true, "", append(nextHops(), "nexthop add id 100 group 10/11 type resilient buckets 32",
			"nexthop add id 200 group 20/21 type resilient buckets 32", "route add 203.0.113.9 nhid 100",
			"route add 2001:db8:9::9 nhid 200"), 2},
		{"a rule by port", true, "", rules("ipproto tcp dport 8081"), 1},
		{"a rule by the flow's own ports", true, "", rules("ipproto tcp sport 61000-61019"), 2},
		{"a rule by user", true, "", rules("uidrange 0-0"), 1},
		{"bound to a device", true, "d1", []string{
			"route add 203.0.113.9 nexthop via 10.77.0.1 dev d0 nexthop via 10.77.1.1 dev d1",
			"route add 2001:db8:9::9 nexthop via fd00:0::1 dev d0 nexthop via fd00:1::1 dev d1"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHosts(t)
			h.hashPorts(c.policy)
			h.ip(c.setup...)
			for _, to := range []string{to4, to6} {
				remote := netip.AddrPortFrom(netip.MustParseAddr(to), 8081)
				if n := h.agree(c.name, remote, c.device); n != c.hops {
					t.Errorf("%s to %s: %d next hops, want %d", c.name, to, n, c.hops)
				}
			}
		})
	}
}

func nextHops() (all []string) {
	for i := range 2 {
		all = append(all, fmt.Sprintf("nexthop add id %d via 10.77.%d.1 dev d%d", 10+i, i, i),
			fmt.Sprintf("nexthop add id %d via fd00:%d::1 dev d%d", 20+i, i, i))
	}
	return all
}

// rules are a route by d0 for all, and one by d1 for what a rule selects.
func rules(selector string) []string {
	return []string{
		"route add 203.0.113.9 via 10.77.0.1", "route add 2001:db8:9::9 via fd00:0::1 dev d0",
		"route add default via 10.77.1.1 table 100", "-6 route add default via fd00:1::1 dev d1 table 100",
		"rule add " + selector + " lookup 100", "-6 rule add " + selector + " lookup 100"}
}

// Flows of sockets that are bound to a VRF go by its table.
func TestChooseInAVRF(t *testing.T) {
	h := newHosts(t)
	h.hashPorts(true)
	cmd := exec.CommandContext(t.Context(), "ip", "link", "add", "vrf0", "type", "vrf", "table", "10")
	if err := h.Run(cmd); err != nil {
		t.Skip("this kernel has no VRF")
	}
	h.ip("link set vrf0 up", "link set d1 master vrf0", "link set d2 master vrf0",
		"address replace fd00:1::100/64 nodad dev d1", "address replace fd00:2::100/64 nodad dev d2",
		"route add 203.0.113.9 vrf vrf0 nexthop via 10.77.1.1 dev d1 nexthop via 10.77.2.1 dev d2",
		"-6 route add 2001:db8:9::9 vrf vrf0 nexthop via fd00:1::1 dev d1 nexthop via fd00:2::1 dev d2")
	for i := 1; i <= 2; i++ {
		h.ip(fmt.Sprintf("neighbour replace 10.77.%d.1 lladdr 02:00:00:00:%02d:01 nud permanent dev d%d", i, i, i),
			fmt.Sprintf("neighbour replace fd00:%d::1 lladdr 02:00:00:00:%02d:01 nud permanent dev d%d", i, i, i))
	}
	for _, to := range []string{"203.0.113.9", "2001:db8:9::9"} {
		remote := netip.AddrPortFrom(netip.MustParseAddr(to), 8081)
		if n := h.agree("in a VRF", remote, "vrf0"); n != 2 {
			t.Errorf("%d next hops to %s, want 2", n, to)
		}
	}
}
