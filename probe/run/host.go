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
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// host has a run's resources on this machine: one guard, and one stack for each device and source address that the
// routes to the targets use.
type host struct {
	device   string
	mode     guard.Mode
	ledger   *ledger.Ledger
	recorder conn.Recorder

	mu       sync.Mutex
	guard    *guard.Guard
	attached guard.Mode
	address  string // the first source address used
	stacks   map[stackKey]*stack
}

type stackKey struct {
	device int
	source netip.Addr
}

// stack is an open conn.Stack with its wire.
type stack struct {
	*conn.Stack
	route wire.Route // route to the first target
	stop  context.CancelFunc
	done  chan struct{}
}

// stackTo returns the stack for dst. It opens the stack at its first use.
func (h *host) stackTo(dst netip.Addr) (*stack, error) {
	route, err := wire.Lookup(dst, h.device)
	if err != nil {
		return nil, fmt.Errorf("find a route to %s: %w", dst, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := stackKey{route.Index, route.Source}
	if s := h.stacks[key]; s != nil {
		return s, nil
	}
	s, err := h.open(route)
	if err != nil {
		return nil, err
	}
	if h.stacks == nil {
		h.stacks, h.address = map[stackKey]*stack{}, route.Source.String()
	}
	h.stacks[key] = s
	return s, nil
}

func (h *host) open(route wire.Route) (*stack, error) {
	if h.guard == nil {
		g, err := guard.Load()
		if err != nil {
			return nil, err
		}
		h.guard = g
	}
	mode, err := h.guard.AttachIngressFirst(route.Index, h.mode)
	if err != nil {
		return nil, err
	}
	h.attached = mode
	w, err := wire.Open(route, h.guard.Tap())
	if err != nil {
		return nil, fmt.Errorf("open a wire on %s: %w", route.Device, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &stack{Stack: &conn.Stack{Wire: w, Guard: h.guard, Reserve: wire.Reserve, Ledger: h.ledger, Recorder: h.recorder,
		Source: route.Source, MTU: route.MTU},
		route: route, stop: stop, done: make(chan struct{})}
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
	for _, s := range h.stacks {
		s.stop()
		<-s.done
		_ = errors.Join(s.Stack.Close(), s.Wire.Close())
	}
	if h.guard != nil {
		_ = h.guard.Close()
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
