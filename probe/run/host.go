package run

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// host has a run's resources on this machine: one guard, and one stack for each device and source address that the
// routes of the flows use.
type host struct {
	device   string
	mode     guard.Mode
	ledger   *ledger.Ledger
	recorder conn.Recorder
	run      context.Context //nolint:containedctx // of all its flows
	ending   context.Context //nolint:containedctx // of the stacks; nil: none

	mu       sync.Mutex
	guard    *guard.Guard
	attached guard.Mode
	address  string        // the first source address used
	routes   *route.Kernel // nil: no route was asked for
	stacks   map[stackKey]*stack
	router   *conn.Router
	returns  returns
	closed   bool
}

type stackKey struct {
	device int
	source netip.Addr
}

// stack is an open conn.Stack with its wire.
type stack struct {
	*conn.Stack
	route route.Route // that of its first flow
	stop  context.CancelFunc
	done  chan struct{}
}

// stackTo returns a stack by which flows to remote may leave. It opens the stack at its first use.
func (h *host) stackTo(remote netip.AddrPort) (*stack, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	routes, err := h.kernel()
	if err != nil {
		return nil, fmt.Errorf("find a route to %s: %w", remote.Addr(), err)
	}
	way, err := routes.Choose(0, remote)
	if err != nil {
		return nil, fmt.Errorf("find a route to %s: %w", remote.Addr(), err)
	}
	return h.stackOf(way)
}

// kernel returns whom to ask for routes.
func (h *host) kernel() (_ *route.Kernel, err error) {
	if h.routes == nil {
		h.routes, err = route.Open(h.device)
	}
	return h.routes, err
}

// stackOf returns the stack for a way.
func (h *host) stackOf(way route.Way) (*stack, error) {
	key := stackKey{way.Index, way.Source}
	if s := h.stacks[key]; s != nil {
		return s, nil
	}
	r, err := h.routes.Describe(way)
	if err != nil {
		return nil, err
	}
	s, err := h.open(r)
	if err != nil {
		return nil, err
	}
	if h.stacks == nil {
		h.stacks, h.address = map[stackKey]*stack{}, way.Source.String()
	}
	h.stacks[key] = s
	return s, nil
}

func (h *host) open(r route.Route) (*stack, error) {
	if h.guard == nil {
		g, err := guard.Load()
		if err != nil {
			return nil, err
		}
		h.guard = g
	}
	mode, err := h.guard.AttachIngressFirst(r.Index, h.mode)
	if err != nil {
		return nil, err
	}
	h.attached = mode
	w, err := wire.Open(h.run, r, h.guard.Tap())
	if err != nil {
		return nil, fmt.Errorf("open a wire on %s: %w", r.Device, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &stack{Stack: &conn.Stack{Wire: w, Guard: h.guard, Reserve: wire.Reserve, Ledger: h.ledger, Recorder: h.recorder,
		Source: r.Source, MTU: r.MTU, Ending: h.ending,
		Elsewhere: h.elsewhere},
		route: r, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = s.Receive(ctx) // flows get the error when they are opened or read
	}()
	return s, nil
}

// sent returns the number of segments that all stacks have sent.
func (h *host) sent() (n int) {
	for _, s := range h.stacks {
		n += s.Sent()
	}
	return n
}

// close releases all resources. It ignores errors: the kernel frees what is left when the process exits.
func (h *host) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, s := range h.stacks {
		s.stop()
		<-s.done
		_ = errors.Join(s.Stack.Close(), s.Wire.Close())
	}
	if h.guard != nil {
		_ = h.guard.Close()
	}
	if h.routes != nil {
		_ = h.routes.Close()
	}
}

// kernelRelease returns the kernel release, as uname -r prints it.
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
