// Package lab is a network inside one process: a client, a switch and a server, each in its own network namespace on
// this machine's kernel. The switch can misbehave in chosen ways. The server has listeners that answer in different
// ways.
//
//	client eth0 ---- client [switch br0] server ---- eth0 server
//
// All of it disappears with the process that made it.
package lab

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
)

// Family is an IP version, as reports write it.
type Family string

// IP versions.
const (
	IPv4 Family = "IPv4"
	IPv6 Family = "IPv6"
)

// Families are the families that every lab has.
var Families = []Family{IPv4, IPv6}

// ClientDevice and ServerDevice are the hosts' network devices with their addresses. ClientPort and ServerPort are the
// switch's ports that they are connected to.
const (
	ClientDevice = "eth0"
	ServerDevice = "eth0"
	ClientPort   = "client"
	ServerPort   = "server"
	bridge       = "br0"
)

// Options are variations of the lab.
type Options struct {
	Conntrack bool     // the server's kernel tracks connections, which Namespace.Conntrack counts
	Protected bool     // the client has a firewall that drops packets without a tracked connection
	Topology  Topology // network between client and server; default: a switch
	// the client's kernel hands over each segment in a packet of its own, as network cards send them, and not several in
	// one packet, which has the flags of the last
	Segmented bool
}

// Lab is one running network. Several can run at the same time with the same addresses.
type Lab struct {
	client, network, server *Namespace
	layout                  layout
	tunnel                  *forwarder  // forwarder of the client's layer-3 device, or nil
	emulating               atomic.Bool // an Injection has divided the switch
}

// New makes the namespaces, connects them, and waits until both families work.
func New(ctx context.Context, o Options) (_ *Lab, err error) {
	how, err := o.Topology.layout()
	if err != nil {
		return nil, err
	}
	l := &Lab{layout: how}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if err = l.makeNamespaces(); err != nil {
		return nil, err
	}
	if err = l.connectHosts(); err != nil {
		return nil, err
	}
	if o.Segmented {
		if err = l.client.segment(ClientDevice); err != nil {
			return nil, err
		}
	}
	if o.Conntrack {
		if err = trackConnections(l.server); err != nil {
			return nil, err
		}
	}
	if o.Protected {
		if err = addHostFirewall(l.client); err != nil {
			return nil, err
		}
	}
	if err = l.awaitReady(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// makeNamespaces makes the namespaces.
func (l *Lab) makeNamespaces() (err error) {
	for _, m := range []struct {
		to   **Namespace
		name string
	}{{&l.client, "client"}, {&l.network, "switch"}, {&l.server, "server"}} {
		if l.layout.sameHost && m.to == &l.server {
			l.server = l.client
			continue
		}
		if *m.to, err = newNamespace(m.name); err != nil {
			return err
		}
	}
	return nil
}

// Client returns the namespace from which to probe.
func (l *Lab) Client() *Namespace { return l.client }

// Switch returns the namespace between client and server. All their packets cross it, except in Loopback. In a topology
// with a router it is the router.
func (l *Lab) Switch() *Namespace { return l.network }

// Server returns the namespace in which the reference servers listen. In Loopback it is the client.
func (l *Lab) Server() *Namespace { return l.server }

// Close removes everything.
func (l *Lab) Close() error {
	var errs []error
	if l.tunnel != nil {
		errs = append(errs, l.tunnel.stop())
	}
	for _, n := range []*Namespace{l.client, l.network, l.server} {
		if n != nil {
			errs = append(errs, n.Close())
		}
	}
	return errors.Join(errs...)
}

// ClientAddr returns the client's address.
func (l *Lab) ClientAddr(f Family) netip.Addr { return subnets[f].client.Addr() }

// ServerAddr returns the server's address. It is on the client's subnet unless there is a router.
func (l *Lab) ServerAddr(f Family) netip.Addr {
	switch {
	case l.layout.sameHost:
		return l.ClientAddr(f)
	case l.layout.routed:
		return subnets[f].beyond.Addr()
	}
	return subnets[f].server.Addr()
}

// TargetAddr returns the address to probe: the server's, or a virtual address that a router translates.
func (l *Lab) TargetAddr(f Family) netip.Addr {
	if l.layout.translated {
		return subnets[f].virtual
	}
	return l.ServerAddr(f)
}

// DistantAddr returns the i-th of the server's Distant addresses. The client reaches them through a gateway: the server
// itself or the router.
func (l *Lab) DistantAddr(f Family, i int) netip.Addr {
	a := subnets[f].distant.Addr()
	for range i%Distant + 1 {
		a = a.Next()
	}
	return a
}

// Distant is the number of the server's addresses behind a gateway in each family.
const Distant = 254
