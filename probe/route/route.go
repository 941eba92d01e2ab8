// Package route asks the kernel which way a flow goes: its source address, device and next hop. The kernel decides that
// for each flow by its routes, its policy rules and its hash over next hops, so it is asked for each flow, with
// everything that it looks at: protocol, addresses, ports, mark, user and the device that a socket is bound to.
package route

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

// Hop is where a flow's packets are sent first.
type Hop struct {
	Device  string
	Address netip.Addr // of the next hop; on the link: the destination itself
}

func (h Hop) String() string { return fmt.Sprintf("next hop %s on %s", h.Address, h.Device) }

// Way is what the kernel chose for a flow.
type Way struct {
	Index  int        // of the device
	Source netip.Addr // the flow's own address
	Next   netip.Addr // the next hop; on the link: the destination itself
	kind   uint8      // of the route: to a host, or one that leads nowhere
	mtu    int        // of the route; 0: the device's
}

// Route is a way with what is to be known of its device.
type Route struct {
	Device   string
	Kind     string     // type of the device as "ip -details link" prints it: veth, vxlan, bond; "device" for hardware
	Index    int        // index of the device
	Source   netip.Addr // the source address that the kernel would use
	Gateway  netip.Addr // the next hop; on the link: the destination itself
	Bound    int        // index of the device to which the flows' sockets are bound; 0: to none
	Ethernet bool       // next hops have Ethernet addresses that must be resolved
	Bare     bool       // the device takes bare IP packets and needs nothing else: tun, WireGuard
	Loopback bool
	MTU      int // largest IP packet in bytes
}

// Hop is the route's next hop.
func (r Route) Hop() Hop { return Hop{r.Device, r.Gateway} }

// Lookup returns the route to an address and port (0: any) in the calling thread's network namespace, for a flow whose
// own port is not known. If device is set, only routes by that device count. The error wraps ErrNoRoute.
func Lookup(remote netip.AddrPort, device string) (Route, error) {
	k, err := Open(device)
	if err != nil {
		return Route{}, err
	}
	defer k.Close()
	w, err := k.Choose(0, netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()))
	if err != nil {
		return Route{}, err
	}
	return k.Describe(w)
}

// leadsNowhere returns an error if the way does not lead to dst.
func (w Way) leadsNowhere(dst netip.Addr) error {
	if w.kind != unix.RTN_UNICAST && w.kind != unix.RTN_LOCAL {
		return fmt.Errorf("%s: %w: the kernel's route of type %d leads to no host", dst, ErrNoRoute, w.kind)
	}
	if !w.Source.IsValid() {
		return fmt.Errorf("%s: %w: device %d has no address to send from", dst, ErrNoRoute, w.Index)
	}
	return nil
}

// by adds what is known of the way's device.
func (w Way) by(link netlink.Link, bound int) Route {
	device := link.Attrs()
	r := Route{
		Device: device.Name, Kind: link.Type(), Index: device.Index, Bound: bound,
		Source: w.Source, Gateway: w.Next, MTU: device.MTU,
		Loopback: device.Flags&net.FlagLoopback != 0,
	}
	// an ipvlan device in L3 mode is Ethernet but resolves no neighbours
	r.Ethernet = device.EncapType == "ether" && device.RawFlags&unix.IFF_NOARP == 0
	// tunnels of other types may need the kernel's route to find the remote end
	r.Bare = device.EncapType == "none"
	if w.mtu > 0 {
		r.MTU = w.mtu
	}
	return r
}
