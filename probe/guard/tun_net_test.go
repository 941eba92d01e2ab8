//go:build net

package guard_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// openTun makes a tun or tap device in ns. Closing the file removes it.
func openTun(t *testing.T, ns *lab.Namespace, name string, flags uint16, addresses ...string) *os.File {
	t.Helper()
	var file *os.File
	must(t, ns.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		request, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		request.SetUint16(flags | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			return err
		}
		file = os.NewFile(uintptr(fd), name)
		closeLater(t, file)
		device, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := addAddresses(device, addresses); err != nil {
			return err
		}
		if err := netlink.LinkSetUp(device); err != nil {
			return err
		}
		return awaitOwn(addresses)
	}))
	return file
}

func addAddresses(device netlink.Link, addresses []string) error {
	for _, text := range addresses {
		address, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if address.IP.To4() == nil {
			address.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(device, address); err != nil {
			return err
		}
	}
	return nil
}

// awaitOwn waits until packets reach the addresses. The kernel adds their local routes in the background.
func awaitOwn(addresses []string) error {
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		own := 0
		for _, text := range addresses {
			routes, err := netlink.RouteGet(netip.MustParsePrefix(text).Addr().AsSlice())
			if err == nil && routes[0].Type == unix.RTN_LOCAL {
				own++
			}
		}
		if own == len(addresses) {
			return nil
		}
	}
	return fmt.Errorf("addresses %v are not in use after %s", addresses, patience)
}

// cable copies packets between two devices in both directions until both are closed.
func cable(a, b *os.File) {
	carry := func(to, from *os.File) {
		packet := make([]byte, 65536)
		for {
			n, err := from.Read(packet)
			if err != nil {
				return
			}
			_, _ = to.Write(packet[:n])
		}
	}
	go carry(a, b)
	go carry(b, a)
}

func TestDeviceWithoutLinkHeader(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		cable(openTun(t, l.Client(), "tun0", unix.IFF_TUN, "203.0.113.1/24", "2001:db8:3::1/64"),
			openTun(t, l.Server(), "tun0", unix.IFF_TUN, "203.0.113.2/24", "2001:db8:3::2/64"))
		peer := netip.MustParseAddr(map[lab.Family]string{lab.IPv4: "203.0.113.2", lab.IPv6: "2001:db8:3::2"}[family])
		h := newHost(t, l.Client(), netip.AddrPortFrom(peer, lab.Echo.Port()))
		if h.route.Ethernet || h.route.Loopback || !h.route.Bare || h.route.Device != "tun0" {
			t.Fatalf("the way is %+v, want the tun device", h.route)
		}
		h.checkGuarded(mode)
	})
}

func TestLoopback(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		for _, to := range []netip.Addr{l.ServerAddr(family), map[lab.Family]netip.Addr{
			lab.IPv4: netip.MustParseAddr("127.0.0.1"), lab.IPv6: netip.IPv6Loopback(),
		}[family]} {
			h := newHost(t, l.Server(), netip.AddrPortFrom(to, lab.Echo.Port()))
			if !h.route.Loopback || h.route.Device != "lo" {
				t.Fatalf("the way is %+v, want lo", h.route)
			}
			h.checkGuarded(mode)
			must(t, h.guard.Close())
		}
	})
}

// checkGuarded checks first that without the guard the kernel resets a flow, and then that with the guard it does not.
func (h *host) checkGuarded(mode guard.Mode) {
	h.t.Helper()
	bare := h.newFlow()
	bare.send(segment.SYN, "")
	bare.expect(segment.SYN | segment.ACK)
	if !bare.receive().Outgoing {
		h.t.Error("without the guard no RST of the kernel left")
	}
	must(h.t, h.guard.Remove(bare.Flow))
	h.attach(mode)
	f := h.newFlow()
	f.connect()
	f.echo("hello")
	f.reset()
	f.checkComplete()
}

// writeNonlinear writes a frame to a tap device so that only the link header is in the linear part of the kernel's
// buffer. Some drivers deliver frames in this form.
func writeNonlinear(t *testing.T, tap *os.File, frame []byte) {
	t.Helper()
	raw, err := tap.SyscallConn()
	must(t, err)
	var failed error
	must(t, raw.Write(func(fd uintptr) bool {
		_, failed = unix.Writev(int(fd), [][]byte{frame[:14], frame[14:]})
		return true
	}))
	must(t, failed)
}

func TestHeadersOutsideTheLinearBufferAreFound(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		tap := openTun(t, l.Client(), "tap0", unix.IFF_TAP|unix.IFF_NAPI|unix.IFF_NAPI_FRAGS, "203.0.113.1/24",
			"2001:db8:3::1/64")
		peer := netip.MustParseAddr(map[lab.Family]string{lab.IPv4: "203.0.113.2", lab.IPv6: "2001:db8:3::2"}[family])
		h := newHost(t, l.Client(), netip.AddrPortFrom(peer, 80))
		h.attach(mode)
		f := h.newFlow()
		packet, err := new(segment.Builder).IP(&segment.Segment{Source: f.Remote, Destination: f.Local,
			Flags: segment.SYN | segment.ACK, WindowScale: -1})
		must(t, err)
		packet[len(packet)-4]++ // with a wrong checksum GRO does not move the headers into the linear part
		writeNonlinear(t, tap, append(h.etherHeader(family), packet...))
		f.receive()
		f.checkComplete()
	})
}

// etherHeader returns the Ethernet header of a frame to the device.
func (h *host) etherHeader(family lab.Family) []byte {
	h.t.Helper()
	var own net.HardwareAddr
	h.do(func() error {
		device, err := net.InterfaceByIndex(h.route.Index)
		if err == nil {
			own = device.HardwareAddr
		}
		return err
	})
	header := append(append([]byte{}, own...), 2, 0, 0, 0, 0, 1)
	if family == lab.IPv6 {
		return append(header, 0x86, 0xdd)
	}
	return append(header, 0x08, 0x00)
}
