package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// subnet is the address plan of one family.
type subnet struct {
	client, server netip.Prefix
	distant        netip.Prefix // the server answers on every address of it
}

// Documentation addresses (RFC 5737, RFC 3849): nobody's real network.
var subnets = map[Family]subnet{
	IPv4: {netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("192.0.2.2/24"), netip.MustParsePrefix("198.51.100.0/24")},
	IPv6: {netip.MustParsePrefix("2001:db8::1/64"), netip.MustParsePrefix("2001:db8::2/64"), netip.MustParsePrefix("2001:db8:1::/64")},
}

// plug builds the cables, the switch and the addresses.
func (l *Lab) plug() error {
	// A switch has no addresses: no neighbour discovery and no multicast reports of its own.
	err := l.network.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
	})
	if err != nil {
		return fmt.Errorf("switching IPv6 off in the switch: %w", err)
	}
	if err := l.network.Do(func() error { return buildBridge(bridge) }); err != nil {
		return err
	}
	client := host{l.client, ClientDevice, ClientPort}
	server := host{l.server, ServerDevice, ServerPort}
	for _, h := range []host{client, server} {
		if err := l.cable(h); err != nil {
			return err
		}
	}
	for _, f := range Families {
		s := subnets[f]
		if err := errors.Join(client.address(s.client), server.address(s.server)); err != nil {
			return err
		}
		if err := errors.Join(client.route(s.distant, s.server.Addr()), server.own(s.distant)); err != nil {
			return err
		}
	}
	return nil
}

// host is a namespace with one device, plugged into one port of the switch.
type host struct {
	*Namespace
	device, port string
}

func buildBridge(name string) error {
	off := false
	br := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs(), MulticastSnooping: &off}
	br.Name = name
	if err := netlink.LinkAdd(br); err != nil {
		return fmt.Errorf("making bridge %s: %w", name, err)
	}
	return netlink.LinkSetUp(br)
}

// cable makes the pair of devices between a host and its port of the switch.
func (l *Lab) cable(h host) error {
	// Until duplicate address detection is over, a host without a packet to send asks no neighbour.
	err := h.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0)
	})
	if err != nil {
		return fmt.Errorf("switching duplicate address detection off on the %s: %w", h.name, err)
	}
	err = l.network.Do(func() error {
		pair := netlink.NewVeth(netlink.NewLinkAttrs())
		pair.Name, pair.PeerName = h.port, h.device
		pair.PeerNamespace = netlink.NsFd(int(h.handle))
		if err := netlink.LinkAdd(pair); err != nil {
			return err
		}
		return errors.Join(enslave(h.port, bridge), netlink.LinkSetUp(pair))
	})
	if err == nil {
		err = h.Do(func() error { return errors.Join(up("lo"), up(h.device)) })
	}
	if err != nil {
		return fmt.Errorf("plugging the %s into the switch: %w", h.name, err)
	}
	return nil
}

func up(device string) error {
	dev, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("device %s: %w", device, err)
	}
	return netlink.LinkSetUp(dev)
}

// enslave makes a device of the switch a bridge's port.
func enslave(port, master string) error {
	dev, err := netlink.LinkByName(port)
	if err != nil {
		return fmt.Errorf("port %s: %w", port, err)
	}
	br, err := netlink.LinkByName(master)
	if err != nil {
		return fmt.Errorf("bridge %s: %w", master, err)
	}
	return netlink.LinkSetMaster(dev, br)
}

// address gives the host p, usable at once: nobody else is on this network, so duplicate address
// detection would only cost a second.
func (h host) address(p netip.Prefix) error {
	err := h.Do(func() error {
		dev, err := netlink.LinkByName(h.device)
		if err != nil {
			return err
		}
		a := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			a.Flags = unix.IFA_F_NODAD
		}
		return netlink.AddrAdd(dev, a)
	})
	if err != nil {
		return fmt.Errorf("giving the %s address %s: %w", h.name, p, err)
	}
	return nil
}

// route sends packets for p to a gateway.
func (h host) route(p netip.Prefix, gateway netip.Addr) error {
	err := h.Do(func() error {
		return netlink.RouteAdd(&netlink.Route{Dst: ipNet(p), Gw: gateway.AsSlice()})
	})
	if err != nil {
		return fmt.Errorf("routing %s through %s on the %s: %w", p, gateway, h.name, err)
	}
	return nil
}

// own makes every address of p one of the host's.
func (h host) own(p netip.Prefix) error {
	err := h.Do(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{
			LinkIndex: lo.Attrs().Index, Dst: ipNet(p), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
		})
	})
	if err != nil {
		return fmt.Errorf("making %s the %s's own: %w", p, h.name, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// settleTimeout bounds the wait for carrier; it takes a few milliseconds.
const settleTimeout = 10 * time.Second

// settle returns when every cable has carrier, which the kernel notices in the background.
func (l *Lab) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := errors.Join(l.client.Do(allUp), l.network.Do(allUp), l.server.Do(allUp), l.client.Do(allOwn), l.server.Do(allOwn))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the lab's network did not come up: %w: %w", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// allUp reports the first device of the thread's namespace, but for loopback, that is not up.
func allUp() error {
	devices, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("listing devices: %w", err)
	}
	for _, d := range devices {
		a := d.Attrs()
		_, isTap := d.(*netlink.Tuntap) // the kernel never knows more of a tap than "unknown"
		if a.Flags&net.FlagLoopback == 0 && !isTap && a.OperState != netlink.OperUp {
			return fmt.Errorf("device %s is %s", a.Name, a.OperState)
		}
	}
	return nil
}

// allOwn reports an IPv6 address of the thread's namespace that packets do not reach yet: the kernel
// makes its local route in the background.
func allOwn() error {
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V6)
	if err != nil {
		return fmt.Errorf("listing addresses: %w", err)
	}
	for _, a := range addresses {
		if a.IP.IsLinkLocalUnicast() {
			continue
		}
		routes, err := netlink.RouteGet(a.IP)
		if err != nil || len(routes) == 0 || routes[0].Type != unix.RTN_LOCAL {
			return fmt.Errorf("address %s is not in use yet: %v", a.IP, err)
		}
	}
	return nil
}
