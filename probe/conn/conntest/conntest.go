// Package conntest runs a conn.Stack against a scripted peer, on a fake clock and without a kernel. Its peers answer as
// Linux kernels were measured to answer.
package conntest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Peer is the remote host: a *Listener, or a type that wraps one.
type Peer interface {
	Receive(*segment.Segment) []*segment.Segment
	Live() int
}

// Bench is a stack with a scripted wire, a fake guard and a remote peer.
type Bench struct {
	Peer Peer
	Path func() Path // called once the fake clock runs; nil: a path without loss
	// Router answers a segment on its way to the peer, which it drops, by an ICMP error; nil: no router does.
	Router       func(*segment.Segment) *segment.Unreachable
	MTU          int  // of the stack; 0: Ethernet's
	GuardMisses  bool // the guard does not count arriving segments
	ReceiveFails bool // receiving fails after the first packet
	NoNextHop    bool // the next hop does not answer
	KernelDrops  bool // the kernel's drop counter grows during the test

	Wire  *ScriptedWire
	Stack *conn.Stack

	mu    sync.Mutex
	ports map[netip.AddrPort]int // number of reservations of each port
}

// Remote is where the peer listens; Local is the stack's own address.
var (
	Remote = netip.MustParseAddrPort("192.0.2.80:80")
	Local  = netip.MustParseAddr("192.0.2.1")
)

// drainTime is how long Run continues after f, so that packets on the path still arrive.
const drainTime = 2 * time.Second

// Run calls f on a fake clock. It fails the test if ports or guarded flows are left at the end.
func (b *Bench) Run(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &fakeGuard{taken: map[guard.Flow]uint64{}}
		b.Wire, b.ports = NewScriptedWire(b.Peer.Receive, b.path()), map[netip.AddrPort]int{}
		b.Wire.router = b.Router
		if timed, ok := b.Peer.(interface {
			Later(func(time.Duration, func() []*segment.Segment))
		}); ok {
			timed.Later(b.Wire.Later)
		}
		b.Stack = &conn.Stack{Wire: guardedWire{b.Wire, g}, Guard: g, Source: Local, Reserve: b.reserve, MTU: b.MTU}
		if b.GuardMisses {
			b.Stack.Wire = b.Wire
		}
		if b.ReceiveFails {
			b.Stack.Wire = &failingWire{Wire: b.Stack.Wire}
		}
		if b.NoNextHop {
			b.Stack.Wire = unreachableWire{b.Stack.Wire}
		}
		if b.KernelDrops {
			b.Stack.Wire = &droppingWire{Wire: b.Stack.Wire}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Stack.Receive(ctx) }()
		f(t, ctx)
		time.Sleep(drainTime)
		cancel()
		if err := <-done; (err != nil) != b.ReceiveFails {
			t.Errorf("receive: %v, want an error: %v", err, b.ReceiveFails)
		}
		if err := b.Stack.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(b.ports) > 0 || len(g.taken) > 0 {
			t.Errorf("left behind: ports %v, guarded flows %v", b.ports, g.taken)
		}
	})
}

func (b *Bench) path() Path {
	if b.Path == nil {
		return nil
	}
	return b.Path()
}

// Pace allows 200 segments a second.
func Pace(ctx context.Context, n int) error {
	time.Sleep(time.Duration(n) * 5 * time.Millisecond)
	return ctx.Err()
}

func (b *Bench) reserve(a netip.AddrPort) (io.Closer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ports[a] > 0 {
		return nil, wire.ErrPortTaken
	}
	b.ports[a]++
	return release(func() error { b.ReleasePort(a); return nil }), nil
}

// ReleasePort frees a reserved port, as the end of its socket does.
func (b *Bench) ReleasePort(a netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.ports, a)
}

type release func() error

func (r release) Close() error { return r() }

// fakeGuard is a guard that counts each segment that its wire delivered as taken.
type fakeGuard struct {
	mu    sync.Mutex
	taken map[guard.Flow]uint64
}

func (g *fakeGuard) Add(f guard.Flow) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken[f] = 0
	return nil
}

func (g *fakeGuard) Remove(flows ...guard.Flow) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range flows {
		delete(g.taken, f)
	}
	return nil
}

func (g *fakeGuard) Counters(f guard.Flow) (guard.Counters, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return guard.Counters{Stolen: g.taken[f]}, nil
}

// guardedWire is a wire whose received segments the guard counts.
type guardedWire struct {
	*ScriptedWire
	guard *fakeGuard
}

func (w guardedWire) Receive(ctx context.Context) (wire.Packet, error) {
	p, err := w.ScriptedWire.Receive(ctx)
	if err == nil && p.Segment != nil {
		w.guard.mu.Lock()
		defer w.guard.mu.Unlock()
		f := guard.Flow{Local: p.Segment.Destination, Remote: p.Segment.Source}
		if _, known := w.guard.taken[f]; known {
			w.guard.taken[f]++
		}
	}
	return p, err
}

// failingWire is a wire that fails after one received packet.
type failingWire struct {
	wire.Wire
	failed bool
}

func (w *failingWire) Receive(ctx context.Context) (wire.Packet, error) {
	if w.failed {
		return wire.Packet{}, errors.New("network is down")
	}
	w.failed = true
	return w.Wire.Receive(ctx)
}

// unreachableWire is a wire whose next hop does not answer.
type unreachableWire struct{ wire.Wire }

func (unreachableWire) Send(*segment.Segment) (time.Time, error) {
	return time.Time{}, fmt.Errorf("%w: %s on eth0", wire.ErrUnresolved, Remote.Addr())
}

// droppingWire is a wire whose drop counter grows with each call of Dropped.
type droppingWire struct {
	wire.Wire
	dropped atomic.Int64
}

func (w *droppingWire) Dropped() (int, error) { return int(w.dropped.Add(1)), nil }
