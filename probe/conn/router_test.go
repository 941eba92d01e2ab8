package conn_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// hopOf is the next hop of a port: the kernel's choice between some.
func hopOf(port uint16, hops int) route.Hop {
	return route.Hop{Device: string(rune('a' + int(port)%hops)), Address: conntest.Local}
}

// The connections of one flow all leave by the next hop of the first; without that they leave by all.
func TestConnectionsOfAFlowLeaveByOneHop(t *testing.T) {
	b := conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		r := &conn.Router{Choose: func(port uint16, _ netip.AddrPort) (*conn.Stack, route.Hop, error) {
			return b.Stack, hopOf(port, 3), nil
		}}
		hops := func(open func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error)) map[route.Hop]bool {
			seen := map[route.Hop]bool{}
			for range 30 {
				c, err := open(ctx, conntest.Remote, seq.At(1))
				if err != nil {
					t.Fatal(err)
				}
				if c.Hop != hopOf(c.Local().Port(), 3) {
					t.Errorf("port %d: %v", c.Local().Port(), c.Hop)
				}
				seen[c.Hop] = true
				if _, err := c.End(ctx); err != nil {
					t.Error(err)
				}
			}
			return seen
		}
		if n := len(hops(r.OneHop())); n != 1 {
			t.Errorf("the connections of a flow left by %d next hops", n)
		}
		if n := len(hops(r.Open)); n != 3 {
			t.Errorf("30 connections left by %d next hops of 3", n)
		}
	})
}

// Where no port leads to the same next hop, another one is taken.
func TestOneHopTakesAnotherWhereItMust(t *testing.T) {
	b := conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		n := 0
		r := &conn.Router{Choose: func(uint16, netip.AddrPort) (*conn.Stack, route.Hop, error) {
			n++
			return b.Stack, route.Hop{Device: string(rune(n))}, nil
		}}
		open := r.OneHop()
		for range 2 {
			c, err := open(ctx, conntest.Remote, seq.At(1))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.End(ctx); err != nil {
				t.Error(err)
			}
		}
		if n != 1+1+128 {
			t.Errorf("asked for %d routes", n)
		}
	})
}

// A port without a route is free for later.
func TestRouterWithoutRoute(t *testing.T) {
	none := errors.New("none")
	r := &conn.Router{Choose: func(uint16, netip.AddrPort) (*conn.Stack, route.Hop, error) {
		return nil, route.Hop{}, none
	}}
	for range 5000 { // more than there are ports
		if _, err := r.Open(t.Context(), conntest.Remote, seq.At(1)); !errors.Is(err, none) {
			t.Fatal(err)
		}
	}
}
