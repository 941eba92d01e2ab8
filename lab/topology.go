package lab

import "net/netip"

// Topology is how the lab connects its client and its server. Whatever it is, ClientDevice is the device that has the client's
// address, and faults stand between the two.
type Topology string

const (
	Switched         Topology = "switch"            // one subnet; what the empty name means
	FirewallDrop     Topology = "firewall-drop"     // a router that tracks connections and drops what belongs to none
	FirewallReject   Topology = "firewall-reject"   // the same, but answers by an RST
	FirewallProhibit Topology = "firewall-prohibit" // the same, but answers by an ICMP error: administratively prohibited
	DNAT             Topology = "dnat"              // a router that translates a virtual address to the server's, as kube-proxy does
	Loopback         Topology = "loopback"          // the server is on the client, which reaches it by lo
	Bridge           Topology = "bridge"            // the client's address is on a bridge, the cable is the bridge's port
	Macvlan          Topology = "macvlan"           // the client's address is on a macvlan device
	Redirected       Topology = "ifb"               // what the client receives goes round by an ifb device, as for shaping
	Tun              Topology = "tun"               // the client has a layer-3 device, without Ethernet addresses
	VXLAN            Topology = "vxlan"             // client and server are on an overlay
)

// Topologies are all of them.
var Topologies = []Topology{Switched, FirewallDrop, FirewallReject, FirewallProhibit, DNAT, Loopback, Bridge, Macvlan, Redirected, Tun, VXLAN}

// layout is what makes a topology; the zero value is a switch between the ends of two cables.
type layout struct {
	alone   bool                              // there is no server but the client
	routed  bool                              // the switch is a router between two subnets
	virtual bool                              // what is probed is an address that the router translates
	tunnel  bool                              // the client is connected by layer 3
	equip   func(l *Lab) error                // gives the router its rules
	stack   func(h host) error                // makes the client's device, of the end of its cable
	overlay bool                              // the server's device is made as the client's is
	faulty  func(l *Lab) (*Namespace, string) // the device that has the faults; nil: the client's port
}

var layouts = map[Topology]layout{
	"":               {},
	Switched:         {},
	FirewallDrop:     {routed: true, equip: dropStrays},
	FirewallReject:   {routed: true, equip: rejectStrays},
	FirewallProhibit: {routed: true, equip: prohibitStrays},
	DNAT:             {routed: true, virtual: true, equip: translate},
	Loopback:         {alone: true, faulty: func(l *Lab) (*Namespace, string) { return l.client, "lo" }},
	Bridge:           {stack: stackBridge},
	Macvlan:          {stack: stackMacvlan},
	Redirected:       {stack: stackIFB},
	Tun:              {routed: true, tunnel: true},
	// The switch sees only datagrams: what is in them, the server's end of the overlay.
	VXLAN: {stack: stackVXLAN, overlay: true, faulty: func(l *Lab) (*Namespace, string) { return l.server, ServerDevice }},
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
