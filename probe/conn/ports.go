package conn

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Source ports are chosen at random from above the kernel's default ephemeral range. Consecutive or even-only ports
// would bias the hash functions of real switches.
const (
	firstPort = 61000
	lastPort  = 65535
	allPorts  = lastPort - firstPort + 1
)

// reuseAfter is how long a source port is not used again for the same target. Otherwise the target or a connection
// table on the path could take the new flow for the old one.
const reuseAfter = 120 * time.Second

// portTable records when each source port was last used for each target, and holds the reservations of the ports in
// use. Flows to different targets may share a port.
type portTable struct {
	mu   sync.Mutex
	from time.Time // time that is second 1 in usage
	used map[netip.AddrPort]*usage
	held map[netip.AddrPort]*reservation // key: local address
}

// usage has, for one target, the second in which each port was last used; 0 means never. Seconds wrap after 18 hours.
// The effect is only that a port may be avoided without need.
type usage struct {
	second [allPorts]uint16
	last   time.Time
	open   map[uint16]bool // ports of flows that have not ended, however long they last
}

// reservation is a bound socket and the number of flows that use its port.
type reservation struct {
	io.Closer
	flows int
}

// choose returns a random port that was not used for remote within reuseAfter and is not in taken. It returns false if
// there is none.
func (b *portTable) choose(remote netip.AddrPort, taken map[uint16]bool) (uint16, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.usage(remote)
	now := time.Now()
	second := b.second(now)
	start := rand.IntN(allPorts)
	for i := range allPorts {
		at := (start + i) % allPorts
		port := uint16(firstPort + at)
		last := u.second[at]
		if taken[port] || u.open[port] || last != 0 && second-last < uint16(reuseAfter/time.Second) {
			continue
		}
		u.use(port, second, now)
		return port, true
	}
	return 0, false
}

// use notes that a flow from the port begins.
func (u *usage) use(port uint16, second uint16, now time.Time) {
	u.last = now
	if port < firstPort {
		return
	}
	u.second[port-firstPort] = second
	if u.open == nil {
		u.open = map[uint16]bool{}
	}
	u.open[port] = true
}

// second converts a time for usage. It never returns 0.
func (b *portTable) second(now time.Time) uint16 {
	if b.from.IsZero() {
		b.from = now
	}
	return max(1, uint16(1+now.Sub(b.from)/time.Second))
}

// usage returns the usage for a target. It drops entries of targets that were not used for a long time.
func (b *portTable) usage(remote netip.AddrPort) *usage {
	if u := b.used[remote]; u != nil {
		return u
	}
	if b.used == nil {
		b.used = map[netip.AddrPort]*usage{}
	}
	for r, u := range b.used {
		if time.Since(u.last) >= reuseAfter && len(u.open) == 0 {
			delete(b.used, r)
		}
	}
	b.used[remote] = new(usage)
	return b.used[remote]
}

// mark records that a chosen port is used for remote again.
func (b *portTable) mark(port uint16, remote netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.usage(remote).use(port, b.second(now), now)
}

// ended records that a flow from the port has ended: from now on the port is not used for a while.
func (b *portTable) ended(port uint16, remote netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, now := b.usage(remote), time.Now()
	u.use(port, b.second(now), now)
	delete(u.open, port)
}

// forget marks a port as unused again because nothing was sent from it.
func (b *portTable) forget(port uint16, remote netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.usage(remote)
	u.second[port-firstPort] = 0
	delete(u.open, port)
}

// hold reserves a local port, or adds a flow to its reservation.
func (b *portTable) hold(local netip.AddrPort, reserve func(netip.AddrPort) (io.Closer, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.held[local]
	if r == nil {
		c, err := reserve(local)
		if err != nil {
			return err
		}
		if b.held == nil {
			b.held = map[netip.AddrPort]*reservation{}
		}
		r = &reservation{Closer: c}
		b.held[local] = r
	}
	r.flows++
	return nil
}

// release removes a flow from the reservation of its port, and frees the port after the last one.
func (b *portTable) release(local netip.AddrPort) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.held[local]
	if r.flows--; r.flows > 0 {
		return nil
	}
	delete(b.held, local)
	return r.Close()
}
