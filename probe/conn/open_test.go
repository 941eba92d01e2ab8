package conn_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

func TestRefusedAndSilent(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{Closed: true}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		end(t, ctx, b, dial(t, ctx, b, seq.At(7), conn.ResetAnswer))
	})
	b = &conntest.Bench{Peer: &conntest.Listener{}, Path: func() conntest.Path {
		return func(*segment.Segment, bool) []time.Duration { return nil }
	}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.NoAnswer)
		if e, err := c.End(ctx); err != nil || e.Confirmed {
			t.Errorf("end on a path that drops everything: %+v %v, want unconfirmed", e, err)
		}
		if n := len(b.Wire.Sent()); n != 7 {
			t.Errorf("%d segments sent, want 6 SYNs and one RST", n)
		}
	})
}

func TestPortsAreNotUsedTwice(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{Closed: true}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		seen := map[netip.AddrPort]bool{}
		for range 200 {
			c := dial(t, ctx, b, seq.At(7), conn.ResetAnswer)
			if seen[c.Local()] {
				t.Fatalf("%s used twice within two minutes", c.Local())
			}
			seen[c.Local()] = true
			end(t, ctx, b, c)
		}
	})
}

func TestOpenReportsWhatFailed(t *testing.T) {
	broken := errors.New("out of file descriptors")
	b := &conntest.Bench{Peer: &conntest.Listener{}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		b.Stack.Reserve = func(netip.AddrPort) (io.Closer, error) { return nil, broken }
		if _, err := b.Stack.Open(ctx, conntest.Remote, seq.At(7)); !errors.Is(err, broken) {
			t.Errorf("open: %v, want %v", err, broken)
		}
		b.Stack.Reserve = func(netip.AddrPort) (io.Closer, error) { return nil, unix.EMFILE }
		if _, err := b.Stack.Open(ctx, conntest.Remote, seq.At(7)); !errors.Is(err, unix.EMFILE) ||
			!strings.Contains(err.Error(), "fewer paths") {
			t.Errorf("open: %v, want %v and what to do", err, unix.EMFILE)
		}
	})
}

// Ports of other processes are skipped. They do not count as used towards the target.
func TestTakenPortsArePassedOver(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{Closed: true}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		reserve := b.Stack.Reserve
		b.Stack.Reserve = func(a netip.AddrPort) (io.Closer, error) {
			if a.Port()%8 != 0 {
				return nil, wire.ErrPortTaken
			}
			return reserve(a)
		}
		for range 300 {
			c := dial(t, ctx, b, seq.At(7), conn.ResetAnswer)
			if c.Local().Port()%8 != 0 {
				t.Fatalf("%s is reserved by another process", c.Local())
			}
			end(t, ctx, b, c)
		}
	})
}

// If there are more flows than ports, flows wait for each other, at most until the run's deadline.
func TestFlowsWaitForAPort(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{Closed: true}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		var open []*conn.Conn
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		for {
			other := netip.AddrPortFrom(conntest.Remote.Addr(), uint16(1+len(open)%60))
			c, err := b.Stack.Open(short, other, seq.At(7))
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after %d flows: %v, want to wait", len(open), err)
				}
				break
			}
			open = append(open, c)
		}
		if _, err := open[0].End(ctx); err != nil {
			t.Error(err)
		}
		c, err := b.Stack.Open(ctx, conntest.Remote, seq.At(7))
		if err != nil {
			t.Fatalf("a port was given back: %v", err)
		}
		for _, c := range append(open[1:], c) {
			if _, err := c.End(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}

// A next hop that does not answer is a finding about the target's network. It is not a fault of the prober.
func TestNoNextHop(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}, NoNextHop: true}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.NoNextHop)
		if e, err := c.End(ctx); err != nil || c.Fault() != nil || e.Confirmed {
			t.Errorf("end: %+v %v, fault %v", e, err, c.Fault())
		}
	})
}
