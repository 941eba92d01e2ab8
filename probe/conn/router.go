package conn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Router opens each flow on the stack whose address and device the flow's route has.
type Router struct {
	// Choose returns the stack of a new flow from that port, and its next hop.
	Choose func(port uint16, remote netip.AddrPort) (*Stack, route.Hop, error)
	// Of returns the stack of a flow that another program or process began.
	Of func(local, remote netip.AddrPort) (*Stack, error)

	ports portTable
}

// Open is Stack.Open on the stack of the flow's route.
func (r *Router) Open(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
	return r.open(ctx, remote, iss, route.Hop{})
}

// hopTries is how many source ports are tried for one that leads to the same next hop as those before.
const hopTries = 128

// OneHop returns an Open whose connections to one address all leave by the next hop of the first: what a flow finds
// then holds for that one. If many ports in a row lead to others, one of these is taken.
func (r *Router) OneHop() func(context.Context, netip.AddrPort, seq.Number) (*Conn, error) {
	var mu sync.Mutex
	first := map[netip.Addr]route.Hop{}
	return func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
		mu.Lock()
		want := first[remote.Addr()]
		mu.Unlock()
		c, err := r.open(ctx, remote, iss, want)
		if err == nil && want == (route.Hop{}) {
			mu.Lock()
			first[remote.Addr()] = c.Hop
			mu.Unlock()
		}
		return c, err
	}
}

// open takes a random source port, of those that lead to the wanted next hop if there is one.
func (r *Router) open(ctx context.Context, remote netip.AddrPort, iss seq.Number, want route.Hop) (*Conn, error) {
	return openFree(ctx, &r.ports, r.Choose, remote, iss, want)
}

// openFree opens a flow from a random port that is free, on the stack that choose returns for it.
func openFree(
	ctx context.Context, ports *portTable, choose func(uint16, netip.AddrPort) (*Stack, route.Hop, error),
	remote netip.AddrPort, iss seq.Number, want route.Hop,
) (*Conn, error) {
	taken := map[uint16]bool{}
	for tries := 0; ; tries++ {
		port, ok := ports.choose(remote, taken)
		if !ok {
			return nil, fmt.Errorf("%s: %w; wait two minutes", remote, ErrNoPort)
		}
		s, hop, err := choose(port, remote)
		if err != nil && (want == (route.Hop{}) || tries >= hopTries) { // a port by another hop need not have a route
			ports.forget(port, remote)
			return nil, err
		}
		if err == nil && (want == (route.Hop{}) || hop == want || tries >= hopTries) {
			f, err := s.openAt(ctx, netip.AddrPortFrom(s.Source, port), remote)
			switch {
			case err == nil:
				f.books = append(f.books, ports)
				return s.beginAt(f, iss, hop)
			case !errors.Is(err, wire.ErrPortTaken):
				ports.ended(port, remote)
				return nil, err
			}
		}
		taken[port] = true
		ports.forget(port, remote)
	}
}

func (s *Stack) beginAt(f *flow, iss seq.Number, hop route.Hop) (*Conn, error) {
	c, err := s.begin(f, iss)
	if err == nil {
		c.Hop = hop
	}
	return c, err
}

// OpenFrom is Stack.OpenFrom on the stack of the flow's route.
func (r *Router) OpenFrom(ctx context.Context, port uint16, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
	s, hop, err := r.Choose(port, remote)
	if err != nil {
		return nil, err
	}
	r.ports.mark(port, remote)
	c, err := s.OpenFrom(ctx, port, remote, iss)
	if err != nil {
		r.ports.ended(port, remote)
		return nil, err
	}
	c.Hop, c.flow.books = hop, append(c.flow.books, &r.ports)
	return c, nil
}

// Resume is Stack.Resume on the stack of the flow's route.
func (r *Router) Resume(ctx context.Context, e ledger.Entry) (*Conn, error) {
	s, err := r.Of(e.Local, e.Remote)
	if err != nil {
		return nil, err
	}
	return s.Resume(ctx, e)
}

// TakeOver is Stack.TakeOver on the stack of the flow's route, in the context in which flows are ended.
func (r *Router) TakeOver(e ledger.Entry, release func()) (*Conn, error) {
	s, err := r.Of(e.Local, e.Remote)
	if err != nil {
		release()
		return nil, err
	}
	return s.TakeOver(s.EndContext(), e, release)
}
