// Package lab is a network small enough to hold in one process: a client, a switch and a server, each
// in a network namespace of its own, on this machine's kernel. The switch misbehaves on demand and the
// server has a listener for every way in which a peer can answer.
//
//	client eth0 ---- client [switch br0] server ---- eth0 server
//
// Everything that the lab makes dies with the process that made it.
package lab

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
)

// Family is an IP version, in the words of a report.
type Family string

// IP versions.
const (
	IPv4 Family = "IPv4"
	IPv6 Family = "IPv6"
)

// Families are those that every lab speaks.
var Families = []Family{IPv4, IPv6}

// ClientDevice and ServerDevice are the hosts' network devices, those that have their addresses; ClientPort
// and ServerPort are the ports of the switch that they are connected to.
const (
	ClientDevice = "eth0"
	ServerDevice = "eth0"
	ClientPort   = "client"
	ServerPort   = "server"
	bridge       = "br0"
)

// Options changes the lab.
type Options struct {
	Conntrack bool     // the server's kernel tracks connections, so that Conntrack has something to count
	Protected bool     // the client has a firewall of its own, which drops what belongs to no connection that it has seen
	Topology  Topology // what is between client and server; a switch, if not said
}

// Lab is one running network. Any number can run at once, with the same addresses.
type Lab struct {
	client, network, server *Namespace
	layout                  layout
	tunnel                  *forwarder  // of the client's layer-3 device; nil without
	emulating               atomic.Bool // an Injection has divided the switch
}

// New makes the namespaces, connects them and waits until both families can be sent.
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

// Client is where probes start.
func (l *Lab) Client() *Namespace { return l.client }

// Switch is between client and server; all their packets cross it, but for Loopback. In a topology with a router it is
// that.
func (l *Lab) Switch() *Namespace { return l.network }

// Server is where the reference servers listen: the client itself in Loopback.
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

// ClientAddr is the client's address.
func (l *Lab) ClientAddr(f Family) netip.Addr { return subnets[f].client.Addr() }

// ServerAddr is the server's address, on the client's own subnet unless there is a router.
func (l *Lab) ServerAddr(f Family) netip.Addr {
	switch {
	case l.layout.sameHost:
		return l.ClientAddr(f)
	case l.layout.routed:
		return subnets[f].beyond.Addr()
	}
	return subnets[f].server.Addr()
}

// TargetAddr is what the client has to probe to reach the server: its address, or a virtual one that a router
// translates.
func (l *Lab) TargetAddr(f Family) netip.Addr {
	if l.layout.translated {
		return subnets[f].virtual
	}
	return l.ServerAddr(f)
}

// DistantAddr is one of the server's further addresses, which the client reaches through a gateway, the server
// itself or the router: the i-th of Distant.
func (l *Lab) DistantAddr(f Family, i int) netip.Addr {
	a := subnets[f].distant.Addr()
	for range i%Distant + 1 {
		a = a.Next()
	}
	return a
}

// Distant is the number of the server's addresses behind a gateway, per family.
const Distant = 254
