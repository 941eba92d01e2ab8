package run

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

// flows returns what opens flows: each goes where the kernel would send a connection from the same port.
func (h *host) flows() *conn.Router {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.router == nil {
		h.router = &conn.Router{Choose: h.choose, Of: h.stackOfFlow}
	}
	return h.router
}

// choose returns the stack and the next hop of a flow from that port. The hop is empty where the kernel sends the
// packets itself, as over a tunnel: it then chooses without the ports.
func (h *host) choose(port uint16, remote netip.AddrPort) (*conn.Stack, route.Hop, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	way, err := h.routes.Choose(port, remote)
	if err != nil {
		return nil, route.Hop{}, err
	}
	s, err := h.stackOf(way)
	if err != nil {
		return nil, route.Hop{}, err
	}
	if r := s.route; !r.Ethernet && !r.Bare && !r.Loopback {
		return s.Stack, route.Hop{}, nil
	}
	return s.Stack, route.Hop{Device: s.route.Device, Address: way.Next}, nil
}

// plain returns the next hop of the route to an address, whatever the port; empty: there is none.
func (h *host) plain(to netip.Addr) route.Hop {
	h.mu.Lock()
	defer h.mu.Unlock()
	way, err := h.routes.Choose(0, netip.AddrPortFrom(to, 0))
	if err != nil {
		return route.Hop{}
	}
	r, err := h.routes.Describe(way)
	if err != nil {
		return route.Hop{}
	}
	return r.Hop()
}

// stackOfFlow returns the stack of a flow that something else began.
func (h *host) stackOfFlow(local, remote netip.AddrPort) (*conn.Stack, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	routes, err := h.kernel()
	if err != nil {
		return nil, err
	}
	way, err := routes.Of(local, remote)
	if err != nil {
		return nil, err
	}
	s, err := h.stackOf(way)
	if err != nil {
		return nil, err
	}
	return s.Stack, nil
}
