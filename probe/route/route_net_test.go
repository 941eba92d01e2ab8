//go:build net

package route_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

func TestLookup(t *testing.T) {
	l := newLab(t)
	mapped := func(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }
	must(t, l.Client().Do(func() error {
		eth, err := device(lab.ClientDevice)
		if err != nil {
			return err
		}
		index := eth.Attrs().Index
		link := route.Route{Device: lab.ClientDevice, Kind: "veth", Index: index, Ethernet: true, MTU: 1500}
		bound := link
		bound.Bound = index
		lo := route.Route{Device: "lo", Kind: "device", Index: 1, Loopback: true, Ethernet: false, MTU: 65536}
		for _, f := range lab.Families {
			own, server := l.ClientAddr(f), l.ServerAddr(f)
			for _, c := range []struct {
				name    string
				dst     netip.Addr
				device  string
				want    route.Route
				source  netip.Addr
				gateway netip.Addr
			}{
				{"on the link", server, "", link, own, server},
				{"by its device", server, lab.ClientDevice, bound, own, server},
				{"behind a gateway", l.DistantAddr(f, 3), "", link, own, server},
				{"mapped", mapped(server), "", link, own, server},
				{"own address", own, "", lo, own, own},
			} {
				c.want.Source, c.want.Gateway = c.source, c.gateway
				if c.name == "mapped" && f == lab.IPv6 {
					continue
				}
				got, err := route.Lookup(netip.AddrPortFrom(c.dst, 0), c.device)
				if err != nil || got != c.want {
					t.Errorf("%s %s:\n got %+v, %v\nwant %+v", f, c.name, got, err, c.want)
				}
			}
		}
		return nil
	}))
}

func TestLookupFollowsRoutesOfEveryShape(t *testing.T) {
	l := newLab(t)
	must(t, l.Client().Do(func() error {
		eth, err := device(lab.ClientDevice)
		if err != nil {
			return err
		}
		index := eth.Attrs().Index
		narrow, over6 := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
		return errors.Join(
			netlink.RouteAdd(&netlink.Route{Dst: hostPrefix(narrow), Gw: l.ServerAddr(lab.IPv4).AsSlice(), MTU: 1400}),
			netlink.RouteAdd(&netlink.Route{LinkIndex: index, Dst: hostPrefix(over6), Via: &netlink.Via{
				AddrFamily: unix.AF_INET6, Addr: net.IP(l.ServerAddr(lab.IPv6).AsSlice()),
			}}),
			check(t, narrow, func(r route.Route) bool { return r.MTU == 1400 && r.Gateway == l.ServerAddr(lab.IPv4) }),
			check(t, over6, func(r route.Route) bool { return r.Gateway == l.ServerAddr(lab.IPv6) && r.Source.Is4() }),
		)
	}))
}

func check(t *testing.T, dst netip.Addr, ok func(route.Route) bool) error {
	t.Helper()
	r, err := route.Lookup(netip.AddrPortFrom(dst, 0), "")
	if err == nil && !ok(r) {
		t.Errorf("%s: %+v", dst, r)
	}
	return err
}

func TestLookupWithoutRoute(t *testing.T) {
	l := newLab(t)
	must(t, l.Client().Do(func() error {
		for _, c := range []struct {
			kind int
			dst  string
		}{{unix.RTN_UNREACHABLE, "203.0.113.8"}, {unix.RTN_BLACKHOLE, "203.0.113.9"},
			{unix.RTN_PROHIBIT, "2001:db8:3::8"}, {unix.RTN_BLACKHOLE, "2001:db8:3::9"}} {
			if err := netlink.RouteAdd(&netlink.Route{Dst: hostPrefix(netip.MustParseAddr(c.dst)), Type: c.kind}); err != nil {
				return err
			}
		}
		for _, c := range []struct{ dst, device, says string }{
			{"203.0.113.1", "", "unreachable"},
			{"2001:db8:3::1", "", "unreachable"},
			{"192.0.2.2", "lo", "device lo"},
			{"203.0.113.1", lab.ClientDevice, "device " + lab.ClientDevice},
			{"2001:db8:3::1", lab.ClientDevice, "device " + lab.ClientDevice},
			{"192.0.2.2", "eth7", "device eth7"},
			{"203.0.113.8", "", "203.0.113.8"},
			{"203.0.113.9", "", "203.0.113.9"},
			{"2001:db8:3::8", "", "2001:db8:3::8"},
			{"2001:db8:3::9", "", "2001:db8:3::9"},
		} {
			r, err := route.Lookup(netip.AddrPortFrom(netip.MustParseAddr(c.dst), 0), c.device)
			if !errors.Is(err, route.ErrNoRoute) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s by %q: %+v, %v, want no route, and %q in it", c.dst, c.device, r, err, c.says)
			}
		}
		return nil
	}))
}
