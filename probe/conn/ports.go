package conn

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Source ports are drawn at random from above the kernel's default ephemeral range: consecutive or
// even-only ports bias the hash functions of real switches.
const (
	firstPort = 61000
	lastPort  = 65535
	allPorts  = lastPort - firstPort + 1
)

// reuseAfter is how long a source port is not used again towards one target, so that neither the
// target nor a connection table on the way takes a new flow for an old one.
const reuseAfter = 120 * time.Second

// portBook remembers which source ports were used towards which target, and holds those in use: flows
// towards several targets may share one.
type portBook struct {
	mu   sync.Mutex
	from time.Time // of the second 1
	used map[netip.AddrPort]*usage
	held map[netip.AddrPort]*reservation // by local address
}

// usage says in which second each port was last used towards one target; 0: never. The seconds wrap after
// 18 hours, which may make a port wait that need not.
type usage struct {
	second [allPorts]uint16
	last   time.Time
}

// reservation is a bound socket, and how many flows use its port.
type reservation struct {
	io.Closer
	flows int
}

// draw returns a random port not used towards remote within reuseAfter, and not taken by others; false if
// there is none.
func (b *portBook) draw(remote netip.AddrPort, taken map[uint16]bool) (uint16, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.usage(remote)
	now := time.Now()
	second := b.second(now)
	start := rand.IntN(allPorts)
	for i := range allPorts {
		at := (start + i) % allPorts
		port := uint16(firstPort + at)
		if last := u.second[at]; taken[port] || last != 0 && second-last < uint16(reuseAfter/time.Second) {
			continue
		}
		u.second[at], u.last = second, now
		return port, true
	}
	return 0, false
}

// second is that of a time, never 0.
func (b *portBook) second(now time.Time) uint16 {
	if b.from.IsZero() {
		b.from = now
	}
	return max(1, uint16(1+now.Sub(b.from)/time.Second))
}

// usage is that of one target; those of targets that nothing was sent to for long are dropped meanwhile.
func (b *portBook) usage(remote netip.AddrPort) *usage {
	if u := b.used[remote]; u != nil {
		return u
	}
	if b.used == nil {
		b.used = map[netip.AddrPort]*usage{}
	}
	for r, u := range b.used {
		if time.Since(u.last) >= reuseAfter {
			delete(b.used, r)
		}
	}
	b.used[remote] = new(usage)
	return b.used[remote]
}

// forget takes back that a port was used: nothing was sent from it.
func (b *portBook) forget(port uint16, remote netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.usage(remote).second[port-firstPort] = 0
}

// hold reserves a local port for one more flow.
func (b *portBook) hold(local netip.AddrPort, reserve func(netip.AddrPort) (io.Closer, error)) error {
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

// giveBack ends what hold began.
func (b *portBook) giveBack(local netip.AddrPort) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.held[local]
	if r.flows--; r.flows > 0 {
		return nil
	}
	delete(b.held, local)
	return r.Close()
}
