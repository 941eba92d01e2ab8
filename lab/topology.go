package lab

import (
	"fmt"
	"net/netip"
)

// Topology is how the lab connects its client and its server. Whatever it is, ClientDevice is the device that has the
// client's address, and faults stand between the two.
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

// layout is what makes a topology; without any of its parts it is a switch between the ends of two cables.
type layout struct {
	name            Topology
	description     string                            // for people
	sameHost        bool                              // there is no server but the client
	routed          bool                              // the switch is a router between two subnets
	translated      bool                              // what is probed is an address that the router translates
	tunnel          bool                              // the client is connected by layer 3
	configureRouter func(l *Lab) error                // gives the router its rules
	stackDevice     func(h host) error                // makes the client's device, of the end of its cable
	overlay         bool                              // the server's device is made as the client's is
	faultDevice     func(l *Lab) (*Namespace, string) // the device that has the faults; nil: the client's port
}

// layouts are those of every topology; the first is what the empty name means. The last ones need devices that some
// kernels lack: New says so by ErrUnsupported.
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

// overlayDevice is the server's end of the overlay: the switch sees only datagrams.
func overlayDevice(l *Lab) (*Namespace, string) { return l.server, ServerDevice }

// Topologies are all of them.
func Topologies() (names []Topology) {
	for _, y := range layouts {
		names = append(names, y.name)
	}
	return names
}

// TopologyHelp lists the topologies for people, one line each.
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

// subnet is the address plan of one family.
type subnet struct {
	client, server netip.Prefix // on one subnet
	beyond         netip.Prefix // the server's where there is a router
	near, far      netip.Prefix // the router's, towards client and server
	virtual        netip.Addr   // what a translating router makes the server's address of
	distant        netip.Prefix // the server answers on every address of it
}

// Documentation addresses (RFC 5737, RFC 3849): nobody's real network.
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
