package wire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/route"
)

// ErrUnresolved means that the next hop did not answer ARP requests or neighbour solicitations.
var ErrUnresolved = errors.New("next hop does not answer")

const (
	hopLifetime    = time.Second     // how long the kernel's answer is used again
	resolveTimeout = 5 * time.Second // the kernel gives up after three requests, one second apart
	resolvePause   = time.Millisecond

	// States of a neighbour entry (linux/neighbour.h): those that have an address, and those for which the kernel sends no
	// request at the next use.
	usable  = settled | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE
	settled = unix.NUD_REACHABLE | unix.NUD_PERMANENT | unix.NUD_NOARP
)

// hardware is an Ethernet address.
type hardware [6]byte

// nextHops finds the Ethernet address for each flow by the kernel's routes and neighbour entries. It keeps results for
// a second.
type nextHops struct {
	waiting    context.Context //nolint:containedctx // of the run: after its end nothing waits for an answer
	device     string
	index      int
	routes     *route.Kernel
	netlink    *netlink.Handle
	neighbours map[int]*nl.SocketHandle // to read a single neighbour entry, for which the handle has no method

	mu    sync.Mutex
	known map[ends]hop
	swept time.Time // when old results were last dropped
}

// ends are the two ends of a flow.
type ends struct{ local, remote netip.AddrPort }

type hop struct {
	address hardware
	until   time.Time
}

func openNextHops(ctx context.Context, r route.Route) (*nextHops, error) {
	routes, err := route.OpenBound(r.Bound)
	if err != nil {
		return nil, err
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening netlink: %w", err), routes.Close())
	}
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE)
	if err != nil {
		handle.Close()
		return nil, errors.Join(fmt.Errorf("opening netlink: %w", err), routes.Close())
	}
	return &nextHops{
		waiting: ctx, device: r.Device, index: r.Index, routes: routes, netlink: handle, known: map[ends]hop{},
		neighbours: map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}},
	}, nil
}

func (n *nextHops) Close() error {
	n.netlink.Close()
	_ = n.routes.Close()
	n.neighbours[unix.NETLINK_ROUTE].Close()
	return nil
}

// resolve returns the Ethernet address for a flow's packets. It waits while the kernel resolves the next hop, and the
// run goes on. The error wraps ErrUnresolved, with that of the context if it was not waited for, or route.ErrNoRoute.
func (n *nextHops) resolve(local, remote netip.AddrPort) (hardware, error) {
	f, now := ends{local, remote}, time.Now()
	n.mu.Lock()
	h, ok := n.known[f]
	n.mu.Unlock()
	if ok && now.Before(h.until) {
		return h.address, nil
	}
	gateway, err := n.gateway(f)
	if err != nil {
		return hardware{}, err
	}
	address, err := n.wait(gateway)
	if err != nil {
		return hardware{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.swept) > hopLifetime {
		n.swept = now
		maps.DeleteFunc(n.known, func(_ ends, h hop) bool { return now.After(h.until) })
	}
	n.known[f] = hop{address, now.Add(hopLifetime)}
	return address, nil
}

// gateway returns the next hop of a flow. Where its route leads to another device by now, it is that of this device: a
// flow stays on the device on which it began.
func (n *nextHops) gateway(f ends) (netip.Addr, error) {
	w, err := n.routes.Of(f.local, f.remote)
	if err != nil || w.Index != n.index {
		w, err = n.routes.By(n.index, f.local, f.remote)
	}
	return w.Next, err
}

// wait returns gateway's address as soon as the kernel has one. Crafted flows do not confirm reachability to the
// kernel, so an entry may be stale. It is used, and the kernel verifies it at the same time.
func (n *nextHops) wait(gateway netip.Addr) (hardware, error) {
	found, err := n.neighbour(gateway)
	if err == nil && found.State&settled == 0 {
		err = n.solicit(gateway)
	}
	if err != nil {
		return hardware{}, err
	}
	for start, pause := time.Now(), resolvePause; ; pause = min(2*pause, 50*resolvePause) {
		if found.State&usable != 0 && len(found.HardwareAddr) == len(hardware{}) {
			return hardware(found.HardwareAddr), nil
		}
		if time.Since(start) > resolveTimeout {
			return hardware{}, fmt.Errorf("%w: %s on %s", ErrUnresolved, gateway, n.device)
		}
		if err := n.pause(pause); err != nil {
			return hardware{}, fmt.Errorf("%w: %s on %s: %w", ErrUnresolved, gateway, n.device, err)
		}
		if found, err = n.neighbour(gateway); err != nil {
			return hardware{}, err
		}
		if found.State == unix.NUD_FAILED {
			return hardware{}, fmt.Errorf("%w: %s on %s", ErrUnresolved, gateway, n.device)
		}
	}
}

// pause returns an error if the time of waiting is over.
func (n *nextHops) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-n.waiting.Done():
		return n.waiting.Err()
	case <-timer.C:
		return nil
	}
}

// neighbour returns the kernel's entry. If there is none, the state is NUD_NONE.
func (n *nextHops) neighbour(a netip.Addr) (*netlink.Neigh, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, 0)
	request.Sockets = n.neighbours
	request.AddData(&netlink.Ndmsg{Family: uint8(family(a)), Index: uint32(n.index)})
	request.AddData(nl.NewRtAttr(unix.NDA_DST, a.AsSlice()))
	messages, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWNEIGH)
	if errors.Is(err, unix.ENOENT) || err == nil && len(messages) == 0 {
		return new(netlink.Neigh), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the neighbour %s on %s: %w", a, n.device, err)
	}
	return netlink.NeighDeserialize(messages[0])
}

// solicit makes the kernel resolve a neighbour as if it had a packet for it.
func (n *nextHops) solicit(a netip.Addr) error {
	err := n.netlink.NeighSet(&netlink.Neigh{
		LinkIndex: n.index, Family: family(a), IP: net.IP(a.AsSlice()), Flags: unix.NTF_USE,
	})
	if err != nil {
		return fmt.Errorf("having the kernel resolve %s on %s: %w", a, n.device, explain(err))
	}
	return nil
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
