package lab

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
)

// underlyingDevice is the cable's end in a host whose addresses are on another device.
const underlyingDevice = "cable0"

// connectHosts makes the hosts' devices and cables, the switch or router between them, and the addresses.
func (l *Lab) connectHosts() error {
	client, server := l.hosts()
	if err := l.configureNetwork(); err != nil {
		return err
	}
	if err := l.connect(client); err != nil {
		return err
	}
	if !l.layout.sameHost {
		if err := l.connect(server); err != nil {
			return err
		}
	}
	for _, f := range Families {
		if err := l.assignAddresses(f); err != nil {
			return err
		}
	}
	if l.layout.configureRouter != nil {
		return l.layout.configureRouter(l)
	}
	return nil
}

// hosts returns the two hosts of the layout.
func (l *Lab) hosts() (client, server host) {
	client = host{Namespace: l.client, device: ClientDevice, port: ClientPort, cable: ClientDevice, outer: overlayClient,
		peer: overlayServer}
	server = host{Namespace: l.server, device: ServerDevice, port: ServerPort, cable: ServerDevice, outer: overlayServer,
		peer: overlayClient}
	return client, server
}

// configureNetwork sets the network namespace up as a switch or as a router.
func (l *Lab) configureNetwork() error {
	if l.layout.routed {
		return errors.Join(l.network.sysctl("ipv4/ip_forward", "1"), l.network.sysctl("ipv6/conf/all/forwarding", "1"),
			l.network.sysctl("ipv6/conf/default/accept_dad", "0"))
	}
	// A switch has no addresses, so it must not send neighbour discovery and multicast reports of its own.
	if err := l.network.sysctl("ipv6/conf/default/disable_ipv6", "1"); err != nil {
		return err
	}
	return l.network.Do(func() error { return buildBridge(bridge) })
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

// connect makes a host's device and the switch's port for it.
func (l *Lab) connect(h host) error {
	// During duplicate address detection a host sends no neighbour solicitations unless it has a packet to send.
	if err := h.sysctl("ipv6/conf/default/accept_dad", "0"); err != nil {
		return err
	}
	isClient := h.port == ClientPort
	if l.layout.tunnel && isClient {
		return l.connectTunnel(h)
	}
	stacked := l.layout.stackDevice != nil && (isClient || l.layout.overlay)
	if stacked {
		h.cable = underlyingDevice
	}
	if err := l.cable(h); err != nil || !stacked {
		return err
	}
	if err := h.Do(func() error { return l.layout.stackDevice(h) }); err != nil {
		return fmt.Errorf("making the %s's device: %w", h.name, err)
	}
	return nil
}

// cable makes the veth pair between a host and its port of the switch.
func (l *Lab) cable(h host) error {
	err := l.network.Do(func() error {
		pair := netlink.NewVeth(netlink.NewLinkAttrs())
		pair.Name, pair.PeerName = h.port, h.cable
		pair.PeerNamespace = netlink.NsFd(int(h.handle))
		if err := netlink.LinkAdd(pair); err != nil {
			return err
		}
		if !l.layout.routed {
			if err := enslave(h.port, bridge); err != nil {
				return err
			}
		}
		return netlink.LinkSetUp(pair)
	})
	if err == nil {
		err = h.Do(func() error { return errors.Join(up("lo"), up(h.cable)) })
	}
	if err != nil {
		return fmt.Errorf("plugging the %s into the switch: %w", h.name, err)
	}
	return nil
}

// assignAddresses adds the addresses of a family, and the routes between them.
func (l *Lab) assignAddresses(f Family) error {
	s := subnets[f]
	if err := l.client.address(ClientDevice, s.client); err != nil {
		return err
	}
	errs := []error{l.server.own(s.distant)}
	switch {
	case l.layout.sameHost:
	case l.layout.routed:
		errs = append(errs,
			l.server.address(ServerDevice, s.beyond),
			l.network.address(ClientPort, s.near),
			l.network.address(ServerPort, s.far),
			l.client.route(s.beyond, s.near.Addr()),
			l.client.route(s.distant, s.near.Addr()),
			l.network.route(s.distant, s.beyond.Addr()),
			l.server.route(s.client, s.far.Addr()))
	default:
		errs = append(errs, l.server.address(ServerDevice, s.server), l.client.route(s.distant, s.server.Addr()))
	}
	return errors.Join(errs...)
}
