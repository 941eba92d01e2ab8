package lab

import (
	"fmt"
	"net/netip"
)

// Topology is the network between client and server. In each topology ClientDevice has the client's address, and faults
// are between client and server.
type Topology string

// Topologies of a lab.
const (
	Switched         Topology = "switch"
	FirewallDrop     Topology = "firewall-drop"
	FirewallReject   Topology = "firewall-reject"
	FirewallProhibit Topology = "firewall-prohibit"
	DNAT             Topology = "dnat"
	Loopback         Topology = "loopback"
	Bridge           Topology = "bridge"
	Macvlan          Topology = "macvlan"
	Redirected       Topology = "ifb"
	Tun              Topology = "tun"
	VXLAN            Topology = "vxlan"
	Geneve           Topology = "geneve"
	WireGuard        Topology = "wireguard"
	VLAN             Topology = "vlan"
	Bond             Topology = "bond"
	IPVLAN           Topology = "ipvlan"
)

// layout describes a topology. The zero value is a switch between two cables.
type layout struct {
	name            Topology
	description     string                            // text for users
	sameHost        bool                              // the client is also the server
	routed          bool                              // a router between two subnets replaces the switch
	translated      bool                              // the probed address is translated by the router
	tunnel          bool                              // the client is connected by a layer-3 device
	configureRouter func(l *Lab) error                // adds the router's rules
	stackDevice     func(h host) error                // makes the client's device on top of its end of the cable
	overlay         bool                              // the server's device is made like the client's
	faultDevice     func(l *Lab) (*Namespace, string) // returns the device with the faults; nil: the client's port
}

// layouts has all topologies. The first is the default. The last ones need devices that some kernels lack; New then
// returns ErrUnsupported.
var layouts = []layout{
	{name: Switched, description: "one subnet, a switch between"},
	{name: FirewallDrop, routed: true, configureRouter: dropUntracked,
		description: "a router that tracks connections and drops what belongs to none"},
	{name: FirewallReject, routed: true, configureRouter: rejectUntracked,
		description: "the same, but it answers by an RST"},
	{name: FirewallProhibit, routed: true, configureRouter: prohibitUntracked,
		description: "the same, but it answers by ICMP: administratively prohibited"},
	{name: DNAT, routed: true, translated: true, configureRouter: translate,
		description: "a router that translates a virtual address to the server's, as kube-proxy does"},
	{name: Loopback, sameHost: true, faultDevice: loopback,
		description: "the server is on the client, which reaches it by lo"},
	{name: Bridge, stackDevice: stackBridge, description: "the client's address is on a bridge, whose port the cable is"},
	{name: Macvlan, stackDevice: stackMacvlan, description: "the client's address is on a macvlan device"},
	{name: Redirected, stackDevice: stackIFB,
		description: "what the client receives goes round by an ifb device, as for shaping"},
	{name: Tun, routed: true, tunnel: true, description: "the client has a layer-3 device, without Ethernet addresses"},
	{name: VXLAN, stackDevice: stackVXLAN, overlay: true, faultDevice: overlayDevice,
		description: "client and server are on an overlay"},
	{name: Geneve, stackDevice: stackGeneve, overlay: true, faultDevice: overlayDevice,
		description: "the same, of another kind"},
	{name: WireGuard, stackDevice: stackWireGuard, overlay: true, faultDevice: overlayDevice,
		description: "the same, encrypted, by layer-3 devices"},
	{name: VLAN, stackDevice: stackVLAN, overlay: true, faultDevice: overlayDevice,
		description: "client and server are on a VLAN"},
	{name: Bond, stackDevice: stackBond, description: "the client's address is on a bond, whose member the cable is"},
	{name: IPVLAN, stackDevice: stackIPVLAN, description: "the client's address is on an ipvlan device"},
}

func loopback(l *Lab) (*Namespace, string) { return l.client, "lo" }

// overlayDevice returns the server's device of the overlay. The switch sees only the packets of the tunnel.
func overlayDevice(l *Lab) (*Namespace, string) { return l.server, ServerDevice }

// Topologies returns all topologies.
func Topologies() (names []Topology) {
	for _, y := range layouts {
		names = append(names, y.name)
	}
	return names
}

// TopologyHelp returns a description of each topology, one line each.
func TopologyHelp() (lines []string) {
	for _, y := range layouts {
		lines = append(lines, fmt.Sprintf("%-18s %s", y.name, y.description))
	}
	return lines
}

func (t Topology) layout() (layout, error) {
	if t == "" {
		return layouts[0], nil
	}
	for _, y := range layouts {
		if y.name == t {
			return y, nil
		}
	}
	return layout{}, fmt.Errorf("no topology %q: it is one of %v", t, Topologies())
}

// subnet has the addresses of one family.
type subnet struct {
	client, server netip.Prefix // addresses on one subnet
	beyond         netip.Prefix // the server's address behind a router
	near, far      netip.Prefix // the router's addresses towards client and server
	virtual        netip.Addr   // the virtual address that a router translates to the server's
	distant        netip.Prefix // the server has every address of it
}

// Addresses for documentation (RFC 5737, RFC 3849), which no real network uses.
var subnets = map[Family]subnet{
	IPv4: {
		client: netip.MustParsePrefix("192.0.2.1/24"), server: netip.MustParsePrefix("192.0.2.2/24"),
		near: netip.MustParsePrefix("192.0.2.254/24"), far: netip.MustParsePrefix("203.0.113.254/24"),
		beyond: netip.MustParsePrefix("203.0.113.2/24"), virtual: netip.MustParseAddr("203.0.113.80"),
		distant: netip.MustParsePrefix("198.51.100.0/24"),
	},
	IPv6: {
		client: netip.MustParsePrefix("2001:db8::1/64"), server: netip.MustParsePrefix("2001:db8::2/64"),
		near: netip.MustParsePrefix("2001:db8::fe/64"), far: netip.MustParsePrefix("2001:db8:2::fe/64"),
		beyond: netip.MustParsePrefix("2001:db8:2::2/64"), virtual: netip.MustParseAddr("2001:db8:2::80"),
		distant: netip.MustParsePrefix("2001:db8:1::/64"),
	},
}
