package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// host is a namespace with one device that has addresses and is connected to one port of the switch.
type host struct {
	*Namespace
	device, port string
	cable        string       // its end of the cable: the device itself, or the one below it
	outer, peer  netip.Prefix // below an overlay: its own and the other host's address
}

// sysctl sets a kernel parameter of the namespace.
func (n *Namespace) sysctl(path, value string) error {
	err := n.Do(func() error { return os.WriteFile("/proc/sys/net/"+path, []byte(value), 0) })
	if err != nil {
		return fmt.Errorf("setting net/%s to %s on the %s: %w", path, value, n.name, err)
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

// enslave makes a device a port of the switch's bridge.
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

// address adds p to a device without duplicate address detection, which takes a second and is not needed on this
// network.
func (n *Namespace) address(device string, p netip.Prefix) error {
	err := n.Do(func() error {
		dev, err := netlink.LinkByName(device)
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
		return fmt.Errorf("giving the %s address %s: %w", n.name, p, err)
	}
	return nil
}

// segment makes the kernel segment what it sends by a device before it hands it over.
func (n *Namespace) segment(device string) error {
	err := n.Do(func() error {
		dev, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		return netlink.LinkSetGSOMaxSegs(dev, 1)
	})
	if err != nil {
		return fmt.Errorf("making the %s segment what it sends by itself: %w", n.name, err)
	}
	return nil
}

// route sends packets for p to a gateway.
func (n *Namespace) route(p netip.Prefix, gateway netip.Addr) error {
	err := n.Do(func() error {
		return netlink.RouteAdd(&netlink.Route{Dst: ipNet(p.Masked()), Gw: gateway.AsSlice()})
	})
	if err != nil {
		return fmt.Errorf("routing %s through %s on the %s: %w", p, gateway, n.name, err)
	}
	return nil
}

// own makes every address of p a local address of the namespace.
func (n *Namespace) own(p netip.Prefix) error {
	err := n.Do(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{
			LinkIndex: lo.Attrs().Index, Dst: ipNet(p), Type: unix.RTN_LOCAL,
			Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
		})
	})
	if err != nil {
		return fmt.Errorf("making %s the %s's own: %w", p, n.name, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
