//go:build net

package wire_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// answered sends a SYN to the peer and fails if there is no SYN-ACK.
func (c *client) answered() {
	c.t.Helper()
	f := c.flow()
	defer func() { _ = c.guard.Remove(f) }()
	c.send(segmentOf(f, 1, segment.SYN))
	if s := c.receive().Segment; s == nil || s.Flags != segment.SYN|segment.ACK {
		c.t.Errorf("%s answers %v", c.peer, s)
	}
	c.send(segmentOf(f, 2, segment.RST))
}

func TestSendFindsTheNextHop(t *testing.T) {
	l := newLab(t)
	for _, f := range lab.Families {
		for _, to := range []netip.Addr{l.ServerAddr(f), l.DistantAddr(f, 0)} {
			newClient(t, l, netip.AddrPortFrom(to, lab.Echo.Port())).answered()
		}
	}
}

// A pod in a Calico network has a host route to 169.254.1.1. No device has that address; the other end of the veth
// answers ARP for it.
func TestSendAcceptsTheGatewayOfOverlayNetworks(t *testing.T) {
	l := newLab(t)
	gateway, beyond := netip.MustParseAddr("169.254.1.1"), netip.MustParseAddr("203.0.113.5")
	must(t, l.Server().Do(func() error {
		eth, err := device(lab.ServerDevice)
		if err != nil {
			return err
		}
		lo, err := device("lo")
		if err != nil {
			return err
		}
		return errors.Join(
			os.WriteFile("/proc/sys/net/ipv4/conf/"+lab.ServerDevice+"/proxy_arp", []byte("1"), 0),
			os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0),
			os.WriteFile("/proc/sys/net/ipv4/neigh/"+lab.ServerDevice+"/proxy_delay", []byte("0"), 0),
			// proxy ARP needs a route by another device
			netlink.RouteAdd(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: hostPrefix(gateway)}),
			netlink.AddrAdd(eth, &netlink.Addr{IPNet: hostPrefix(beyond)}),
		)
	}))
	must(t, l.Client().Do(func() error {
		eth, err := device(lab.ClientDevice)
		if err != nil {
			return err
		}
		return errors.Join(
			netlink.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Dst: hostPrefix(gateway), Scope: netlink.SCOPE_LINK}),
			netlink.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Dst: hostPrefix(beyond), Gw: gateway.AsSlice()}),
		)
	}))
	c := newClient(t, l, netip.AddrPortFrom(beyond, lab.Echo.Port()))
	if c.route.Gateway != gateway {
		t.Fatalf("the way is %+v, want the gateway %s", c.route, gateway)
	}
	c.answered()
}

// In a Cilium network the neighbour entry is permanent, and nothing answers ARP for it.
func TestSendUsesPermanentNeighbours(t *testing.T) {
	l := newLab(t)
	for _, f := range lab.Families {
		gateway := map[lab.Family]netip.Addr{lab.IPv4: netip.MustParseAddr("192.0.2.99"),
			lab.IPv6: netip.MustParseAddr("2001:db8::99")}[f]
		beyond := l.DistantAddr(f, 7)
		hardware := serverHardware(t, l)
		must(t, l.Client().Do(func() error {
			eth, err := device(lab.ClientDevice)
			if err != nil {
				return err
			}
			return errors.Join(
				netlink.NeighSet(&netlink.Neigh{
					LinkIndex: eth.Attrs().Index, IP: gateway.AsSlice(), HardwareAddr: hardware, State: unix.NUD_PERMANENT,
				}),
				netlink.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Dst: hostPrefix(beyond), Gw: gateway.AsSlice()}),
			)
		}))
		c := newClient(t, l, netip.AddrPortFrom(beyond, lab.Echo.Port()))
		if c.route.Gateway != gateway {
			t.Fatalf("the way is %+v, want the gateway %s", c.route, gateway)
		}
		c.answered()
	}
}

func serverHardware(t *testing.T, l *lab.Lab) (a net.HardwareAddr) {
	t.Helper()
	must(t, l.Server().Do(func() error {
		eth, err := device(lab.ServerDevice)
		if err == nil {
			a = eth.Attrs().HardwareAddr
		}
		return err
	}))
	return a
}

func TestSendWithUnresolvedNextHop(t *testing.T) {
	l := newLab(t)
	must(t, l.Client().Do(func() error {
		eth := lab.ClientDevice
		return errors.Join( // shortens the three seconds that the kernel takes by default
			os.WriteFile("/proc/sys/net/ipv4/neigh/"+eth+"/retrans_time_ms", []byte("20"), 0),
			os.WriteFile("/proc/sys/net/ipv6/neigh/"+eth+"/retrans_time_ms", []byte("20"), 0),
		)
	}))
	for _, silent := range []string{"192.0.2.77", "2001:db8::77"} {
		c := newClient(t, l, netip.AddrPortFrom(netip.MustParseAddr(silent), 80))
		for range 2 { // the second time the kernel has an entry for the failure
			if _, err := c.Send(segmentOf(c.someFlow(), 1, segment.SYN)); !errors.Is(err, wire.ErrUnresolved) {
				t.Errorf("%s: %v", silent, err)
			}
		}
	}
}

// Once the run has ended, nothing waits for a next hop: what has an address is still sent.
func TestSendWaitsForNoNextHopAfterTheEnd(t *testing.T) {
	l := newLab(t)
	for _, f := range lab.Families {
		silent := map[lab.Family]string{lab.IPv4: "192.0.2.77", lab.IPv6: "2001:db8::77"}[f]
		newClient(t, l, l.Target(f, lab.Echo)).answered() // now the kernel knows this address
		ctx, end := context.WithCancel(t.Context())
		end()
		c := newClientUntil(ctx, t, l, l.Target(f, lab.Echo))
		c.answered()
		s := segmentOf(c.someFlow(), 1, segment.SYN)
		s.Destination = netip.AddrPortFrom(netip.MustParseAddr(silent), 80)
		if _, err := c.Send(s); !errors.Is(err, wire.ErrUnresolved) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestSendWithoutRoute(t *testing.T) {
	l := newLab(t)
	for _, f := range lab.Families {
		c := newClient(t, l, l.Target(f, lab.Echo))
		nowhere := map[lab.Family]string{lab.IPv4: "203.0.113.1:80", lab.IPv6: "[2001:db8:3::1]:80"}[f]
		s := segmentOf(c.someFlow(), 1, segment.SYN)
		s.Destination = netip.MustParseAddrPort(nowhere)
		if _, err := c.Send(s); !errors.Is(err, route.ErrNoRoute) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// If the device's queue is full, packets are sent later and none is lost.
func TestSendWaitsForAFullQueue(t *testing.T) {
	l := newLab(t)
	c := newClient(t, l, l.Target(lab.IPv4, lab.Sink))
	f := c.flow()
	must(t, l.Client().Do(func() error {
		dev, err := device(lab.ClientDevice)
		if err != nil {
			return err
		}
		return netlink.QdiscAdd(&netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: dev.Attrs().Index, Handle: netlink.MakeHandle(1, 0),
				Parent: netlink.HANDLE_ROOT},
			Rate: 2500, Buffer: netlink.Xmittime(2500, 100), Limit: 100, // one packet of 54 bytes in 22 ms
		})
	}))
	for i := range 10 {
		c.send(segmentOf(f, uint32(i), segment.ACK))
	}
}
