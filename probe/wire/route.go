package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ErrNoRoute means that the kernel has no route to a destination.
var ErrNoRoute = errors.New("no route")

// Route is the kernel's route to a destination.
type Route struct {
	Device   string
	Kind     string     // type of the device as "ip -details link" prints it: veth, vxlan, bond; "device" for hardware
	Index    int        // index of the device
	Source   netip.Addr // the source address that the kernel would use
	Gateway  netip.Addr // the next hop; on the link: the destination itself
	Ethernet bool       // next hops have Ethernet addresses that must be resolved
	Bare     bool       // the device takes bare IP packets and needs nothing else: tun, WireGuard
	Loopback bool
	MTU      int // largest IP packet in bytes
}

// Lookup returns the route to dst in the calling thread's network namespace. If device is set, only routes by that
// device count. The error wraps ErrNoRoute.
func Lookup(dst netip.Addr, device string) (Route, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Route{}, fmt.Errorf("opening netlink: %w", err)
	}
	defer handle.Close()
	found, err := lookup(handle, dst, netlink.RouteGetOptions{Oif: device}, device)
	if err != nil {
		return Route{}, err
	}
	link, err := handle.LinkByIndex(found.LinkIndex)
	if err != nil {
		return Route{}, fmt.Errorf("device %d on the way to %s: %w", found.LinkIndex, dst, err)
	}
	return describe(dst, found, link)
}

// lookup looks up a route. over restricts it to a device by name or index. device is its name, or "" for any.
func lookup(
	handle *netlink.Handle, dst netip.Addr, over netlink.RouteGetOptions, device string,
) (netlink.Route, error) {
	ip := dst.Unmap().AsSlice()
	routes, err := handle.RouteGetWithOptions(ip, &over)
	if err == nil && device != "" && dst.Unmap().Is4() {
		// With a given device and no route, the kernel assumes that the destination is on the link. FIBMatch asks for a real
		// route.
		over.FIBMatch = true
		_, err = handle.RouteGetWithOptions(ip, &over)
	}
	if err == nil && len(routes) == 0 {
		err = unix.ENETUNREACH
	}
	switch {
	case err == nil:
		return routes[0], nil
	case device != "":
		return netlink.Route{}, fmt.Errorf("%s by device %s: %w: %w", dst, device, ErrNoRoute, err)
	}
	return netlink.Route{}, fmt.Errorf("%s: %w: %w", dst, ErrNoRoute, err)
}

func describe(dst netip.Addr, found netlink.Route, link netlink.Link) (Route, error) {
	device := link.Attrs()
	if found.Type != unix.RTN_UNICAST && found.Type != unix.RTN_LOCAL {
		return Route{}, fmt.Errorf("%s: %w: the kernel's route of type %d leads to no host", dst, ErrNoRoute, found.Type)
	}
	source, ok := netip.AddrFromSlice(found.Src)
	if !ok {
		return Route{}, fmt.Errorf("%s: %w: device %s has no address to send from", dst, ErrNoRoute, device.Name)
	}
	r := Route{
		Device: device.Name, Kind: link.Type(), Index: device.Index,
		Source: source.Unmap(), Gateway: gateway(dst, found), MTU: device.MTU,
		Loopback: device.Flags&net.FlagLoopback != 0,
	}
	// an ipvlan device in L3 mode is Ethernet but resolves no neighbours
	r.Ethernet = device.EncapType == "ether" && device.RawFlags&unix.IFF_NOARP == 0
	// tunnels of other types may need the kernel's route to find the remote end
	r.Bare = device.EncapType == "none"
	if found.MTU > 0 {
		r.MTU = found.MTU
	}
	return r, nil
}

// gateway returns the next hop, which may be of the other family (RFC 5549).
func gateway(dst netip.Addr, found netlink.Route) netip.Addr {
	if a, ok := netip.AddrFromSlice(found.Gw); ok {
		return a.Unmap()
	}
	if via, ok := found.Via.(*netlink.Via); ok {
		if a, ok := netip.AddrFromSlice(via.Addr); ok {
			return a.Unmap()
		}
	}
	return dst.Unmap()
}
