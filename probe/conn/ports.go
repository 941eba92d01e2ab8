package conn

import (
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
)

// reuseAfter is how long a source port is not used again towards one target, so that neither the
// target nor a connection table on the way takes a new flow for an old one.
const reuseAfter = 120 * time.Second

type portUse struct {
	port   uint16
	remote netip.AddrPort
}

// portBook remembers which source ports were used towards which target.
type portBook struct {
	mu   sync.Mutex
	used map[portUse]time.Time
}

// draw returns a random port not used towards remote within reuseAfter, and not taken by others; false if
// there is none.
func (b *portBook) draw(remote netip.AddrPort, taken map[uint16]bool) (uint16, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used == nil {
		b.used = map[portUse]time.Time{}
	}
	now := time.Now()
	n := lastPort - firstPort + 1
	start := rand.IntN(n)
	for i := range n {
		u := portUse{uint16(firstPort + (start+i)%n), remote}
		if last, ok := b.used[u]; taken[u.port] || ok && now.Sub(last) < reuseAfter {
			continue
		}
		b.used[u] = now
		return u.port, true
	}
	return 0, false
}

// forget takes back that a port was used: nothing was sent from it.
func (b *portBook) forget(port uint16, remote netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.used, portUse{port, remote})
}
