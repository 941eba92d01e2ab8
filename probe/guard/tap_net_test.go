//go:build net

package guard_test

import (
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

func TestTapDeliversICMPErrorsAboutFlows(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		family     lab.Family
		nowhere    string // the server forwards packets but has no route to this address
		kind, code uint8
	}{{lab.IPv4, "203.0.113.7", 3, 0}, {lab.IPv6, "2001:db8:3::7", 1, 0}} {
		t.Run(string(c.family), func(t *testing.T) {
			nowhere := netip.MustParseAddr(c.nowhere)
			forward(t, l.Server())
			routeVia(t, l.Client(), nowhere, l.ServerAddr(c.family))
			h := newHost(t, l.Client(), netip.AddrPortFrom(nowhere, 80))
			f, unregistered := h.newFlow(), h.newFlow()
			must(t, h.guard.Remove(unregistered.Flow))
			unregistered.send(segment.SYN, "")
			want := segment.Unreachable{
				From: l.ServerAddr(c.family), Type: c.kind, Code: c.code, Source: f.Local, Destination: f.Remote, Seq: f.next,
			}
			f.send(segment.SYN, "")
			p := f.receive()
			if p.Unreachable == nil {
				t.Fatalf("the tap delivers %v, want %+v first", p.Segment, want)
			}
			want.Header, want.Len = p.Unreachable.Header, p.Unreachable.Len // checked in package segment
			if !reflect.DeepEqual(*p.Unreachable, want) {
				t.Errorf("the tap delivers %+v, want %+v first", p.Unreachable, want)
			}
		})
	}
}

func forward(t *testing.T, ns *lab.Namespace) {
	t.Helper()
	must(t, ns.Do(func() error {
		for _, file := range []string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"} {
			if err := os.WriteFile(file, []byte("1"), 0); err != nil {
				return err
			}
		}
		return nil
	}))
}

func routeVia(t *testing.T, ns *lab.Namespace, dst, gateway netip.Addr) {
	t.Helper()
	must(t, ns.Do(func() error {
		return netlink.RouteAdd(&netlink.Route{
			Dst: &net.IPNet{IP: dst.AsSlice(), Mask: net.CIDRMask(dst.BitLen(), dst.BitLen())}, Gw: gateway.AsSlice(),
		})
	}))
}

func TestIPOptionsAreSkipped(t *testing.T) {
	l := newLab(t)
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Sink))
			h.attach(mode)
			f := h.newFlow()
			packet, err := new(segment.Builder).IP(&segment.Segment{
				Source: f.Remote, Destination: f.Local, Flags: segment.SYN | segment.ACK, WindowScale: -1,
			})
			must(t, err)
			packet = slices.Insert(packet, 20, 1, 1, 1, 1) // four no-operation options; the raw socket sets length and checksum
			packet[0] = 0x46
			must(t, l.Server().Do(func() error { return sendRaw(packet, f.Local.Addr(), 1) }))
			if s := f.receive().Segment; s == nil || s.Flags != segment.SYN|segment.ACK {
				t.Errorf("the tap delivers %v", s)
			}
			f.checkComplete()
		})
	}
}

// sendRaw sends a packet several times.
func sendRaw(packet []byte, to netip.Addr, times int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for range times {
		if err := unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: to.As4()}); err != nil {
			return err
		}
	}
	return nil
}

func TestTapDeliversNothingElse(t *testing.T) {
	l := newLab(t)
	for _, family := range lab.Families {
		t.Run(string(family), func(t *testing.T) {
			h := newHost(t, l.Client(), l.Target(family, lab.Echo))
			h.attach(modes[0])
			f := h.newFlow()
			exchange(t, l, family) // a connection of another owner, before and between
			f.connect()
			exchange(t, l, family)
			f.echo("hello")
			f.reset()
			f.checkComplete()
			for _, p := range f.all {
				if p.Segment == nil || p.Segment.Source != f.Remote || p.Segment.Destination != f.Local {
					t.Errorf("the tap delivered %v %v", p.Segment, p.Unreachable)
				}
			}
		})
	}
}
