package lab

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A host's addresses beneath an overlay: for tests between networks (RFC 2544).
var (
	overlayClient = netip.MustParsePrefix("198.18.0.1/30")
	overlayServer = netip.MustParsePrefix("198.18.0.2/30")
)

// stackBridge makes the cable a port of a bridge that has the addresses. The thread is in the host's namespace, as for all below.
func stackBridge(h host) error {
	return errors.Join(buildBridge(h.device), enslave(h.cable, h.device))
}

// stackMacvlan puts a device with an Ethernet address of its own on the cable.
func stackMacvlan(h host) error {
	under, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	return add(&netlink.Macvlan{LinkAttrs: attributes(h.device, under), Mode: netlink.MACVLAN_MODE_BRIDGE})
}

// stackVXLAN puts the host on an overlay with one other.
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

// stackIFB sends what the cable receives round by an ifb device.
func stackIFB(h host) error {
	cable, err := netlink.LinkByName(h.cable)
	if err != nil {
		return err
	}
	ifb := &netlink.Ifb{LinkAttrs: attributes("ifb0", nil)}
	if err := errors.Join(rename(cable, h.device), add(ifb)); err != nil {
		return err
	}
	if _, err := ensureClsact(cable.Attrs().Index); err != nil {
		return err
	}
	return netlink.FilterAdd(&netlink.U32{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: cable.Attrs().Index, Parent: netlink.HANDLE_MIN_INGRESS, Protocol: unix.ETH_P_ALL},
		Actions:     []netlink.Action{netlink.NewMirredAction(ifb.Index)},
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

func add(device netlink.Link) error {
	return errors.Join(netlink.LinkAdd(device), netlink.LinkSetUp(device))
}
