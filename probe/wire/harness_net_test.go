//go:build net

package wire_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// patience is how long a test waits for an expected packet.
const patience = 5 * time.Second

func newLab(t testing.TB) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.Context(), lab.Options{})
	must(t, err)
	closeLater(t, l)
	stop, err := l.Server().Serve()
	must(t, err)
	t.Cleanup(func() { must(t, stop()) })
	return l
}

// client is a wire with a guard, from the lab's client to one peer.
type client struct {
	wire.Wire
	t     testing.TB
	guard *guard.Guard
	route route.Route
	peer  netip.AddrPort
}

func newClient(t testing.TB, l *lab.Lab, peer netip.AddrPort) *client {
	t.Helper()
	return newClientUntil(t.Context(), t, l, peer)
}

func newClientUntil(ctx context.Context, t testing.TB, l *lab.Lab, peer netip.AddrPort) *client {
	t.Helper()
	c := &client{t: t, peer: peer}
	must(t, l.Client().Do(func() (err error) {
		if c.guard, err = guard.Load(); err != nil {
			return err
		}
		closeLater(t, c.guard)
		if c.route, err = route.Lookup(peer, ""); err != nil {
			return err
		}
		if _, err = c.guard.Attach(c.route.Index, ""); err != nil {
			return err
		}
		c.Wire, err = wire.Open(ctx, c.route, c.guard.Tap())
		return err
	}))
	closeLater(t, c.Wire)
	return c
}

// flow registers a flow.
func (c *client) flow() guard.Flow {
	c.t.Helper()
	f := guard.Flow{Local: netip.AddrPortFrom(c.route.Source, 61000), Remote: c.peer}
	must(c.t, c.guard.Add(f))
	return f
}

// someFlow returns a flow that is not registered.
func (c *client) someFlow() guard.Flow {
	return guard.Flow{Local: netip.AddrPortFrom(c.route.Source, 62000), Remote: c.peer}
}

func segmentOf(f guard.Flow, number uint32, flags segment.Flags) *segment.Segment {
	return &segment.Segment{
		Source: f.Local, Destination: f.Remote, Seq: seq.At(number), Flags: flags, Window: 64240, WindowScale: -1,
	}
}

func (c *client) send(s *segment.Segment) time.Time {
	c.t.Helper()
	sent, err := c.Send(s)
	must(c.t, err)
	return sent
}

func (c *client) receive() wire.Packet {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	p, err := c.Receive(ctx)
	must(c.t, err)
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func closeLater(t testing.TB, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// device returns a device of the calling thread's namespace.
func device(name string) (netlink.Link, error) { return netlink.LinkByName(name) }

func hostPrefix(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
}
