package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/tcpprobe/tcpprobe/probe/clsact"
)

// Addresses of the hosts in the network that carries an overlay. They are reserved for benchmarks of networks (RFC
// 2544).
var (
	overlayClient = netip.MustParsePrefix("198.18.0.1/30")
	overlayServer = netip.MustParsePrefix("198.18.0.2/30")
)

// stackBridge makes a bridge that has the host's addresses, with the cable as its port. For this and the functions
// below, the thread must be in the host's namespace.
func stackBridge(h host) error {
	return errors.Join(buildBridge(h.device), enslave(h.cable, h.device))
}

// stackMacvlan adds a device with an Ethernet address of its own on top of the cable.
func stackMacvlan(h host) error {
	under, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	return add(&netlink.Macvlan{LinkAttrs: attributes(h.device, under), Mode: netlink.MACVLAN_MODE_BRIDGE})
}

// stackIPVLAN adds a device with the cable's Ethernet address on top of the cable.
func stackIPVLAN(h host) error {
	under, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	return add(&netlink.IPVlan{LinkAttrs: attributes(h.device, under), Mode: netlink.IPVLAN_MODE_L2})
}

// stackVLAN adds a VLAN device on top of the cable.
func stackVLAN(h host) error {
	under, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	return add(&netlink.Vlan{LinkAttrs: attributes(h.device, under), VlanId: 7})
}

// stackBond adds a bond with the cable as its only member.
func stackBond(h host) error {
	member, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	bond := netlink.NewLinkBond(attributes(h.device, nil))
	bond.Mode, bond.Miimon = netlink.BOND_MODE_ACTIVE_BACKUP, 10
	if err := add(bond); err != nil {
		return err
	}
	return errors.Join(netlink.LinkSetDown(member), netlink.LinkSetMaster(member, bond), netlink.LinkSetUp(member))
}

// stackVXLAN connects the host to the other one by VXLAN.
func stackVXLAN(h host) error {
	under, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	if err := h.address(h.cable, h.outer); err != nil {
		return err
	}
	return add(&netlink.Vxlan{
		LinkAttrs: attributes(h.device, nil), VxlanId: 1, VtepDevIndex: under.Attrs().Index, Port: 4789,
		SrcAddr: h.outer.Addr().AsSlice(), Group: h.peer.Addr().AsSlice(),
	})
}

// stackGeneve connects the host to the other one by Geneve.
func stackGeneve(h host) error {
	if err := h.address(h.cable, h.outer); err != nil {
		return err
	}
	return add(&netlink.Geneve{LinkAttrs: attributes(h.device, nil), ID: 1, Remote: h.peer.Addr().AsSlice()})
}

// stackWireGuard connects the host to the other one by WireGuard.
func stackWireGuard(h host) error {
	if err := errors.Join(h.address(h.cable, h.outer),
		add(&netlink.Wireguard{LinkAttrs: attributes(h.device, nil)})); err != nil {
		return err
	}
	control, err := wgctrl.New()
	if err != nil {
		return err
	}
	own, port := key(h.outer), wireGuardPort
	err = control.ConfigureDevice(h.device, wgtypes.Config{PrivateKey: &own, ListenPort: &port,
		Peers: []wgtypes.PeerConfig{{
			PublicKey: key(h.peer).PublicKey(), Endpoint: net.UDPAddrFromAddrPort(netip.AddrPortFrom(h.peer.Addr(),
				wireGuardPort)),
			AllowedIPs: []net.IPNet{*ipNet(netip.MustParsePrefix("0.0.0.0/0")), *ipNet(netip.MustParsePrefix("::/0"))},
		}}})
	return errors.Join(err, control.Close())
}

const wireGuardPort = 51820

// key returns a host's private key. It is not secret.
func key(of netip.Prefix) wgtypes.Key { return sha256.Sum256([]byte(of.String())) }

// stackIFB redirects the packets that the cable receives through an ifb device.
func stackIFB(h host) error {
	cable, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	ifb := &netlink.Ifb{LinkAttrs: attributes("ifb0", nil)}
	if err := errors.Join(rename(cable, h.device), add(ifb)); err != nil {
		return err
	}
	if err := clsact.EnsureQdisc(cable.Attrs().Index); err != nil {
		return err
	}
	return netlink.FilterAdd(&netlink.U32{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: cable.Attrs().Index, Parent: netlink.HANDLE_MIN_INGRESS,
			Protocol: unix.ETH_P_ALL},
		Actions: []netlink.Action{netlink.NewMirredAction(ifb.Index)},
	})
}

func rename(device netlink.Link, name string) error {
	return errors.Join(netlink.LinkSetDown(device), netlink.LinkSetName(device, name), netlink.LinkSetUp(device))
}

func attributes(name string, parent netlink.Link) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	if parent != nil {
		a.ParentIndex = parent.Attrs().Index
	}
	return a
}

// ErrUnsupported means that this machine's kernel has no such device.
var ErrUnsupported = errors.New("this kernel has no such device")

func add(device netlink.Link) error {
	err := netlink.LinkAdd(device)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("%w: %s", ErrUnsupported, device.Type())
	}
	return errors.Join(err, netlink.LinkSetUp(device))
}
