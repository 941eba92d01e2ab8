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

// host is what a run holds of this machine: one guard, and a stack for each device and source address
// that routes to the targets need.
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

// stack is an open conn.Stack and what it stands on.
type stack struct {
	*conn.Stack
	route wire.Route // of the first target
	stop  context.CancelFunc
	done  chan struct{}
}

// stackTo returns the stack that reaches dst, opened at the first use.
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
		_ = s.Receive(ctx) // the flows learn of a fault when they are opened or read
	}()
	return s, nil
}

// sent counts the segments of all stacks.
func (h *host) sent() (n int) {
	for _, s := range h.stacks {
		n += s.Sent()
	}
	return n
}

// close gives everything back. Errors are of no more use: the kernel frees what is left at exit.
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

// kernelRelease is this machine's kernel, as uname -r says it.
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
