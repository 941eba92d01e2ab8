package conn

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// roundTrips remembers the shortest round trip to each peer. It is safe for concurrent use.
type roundTrips struct {
	mu       sync.Mutex
	shortest map[netip.Addr]time.Duration
}

func (r *roundTrips) add(peer netip.Addr, rtt time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shortest == nil {
		r.shortest = map[netip.Addr]time.Duration{}
	}
	if known, ok := r.shortest[peer]; !ok || rtt < known {
		r.shortest[peer] = rtt
	}
}

// of is the shortest round trip to a peer; 0 if none is known.
func (r *roundTrips) of(peer netip.Addr) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shortest[peer]
}

// KnownRTT is the shortest round trip of all connections to the peer; 0 if none is known.
func (c *Conn) KnownRTT() time.Duration { return c.flow.stack.roundTrips.of(c.flow.key.Remote.Addr()) }

// timeHandshake takes the time of the handshake as the round trip. If several SYNs were sent, it is not known which one
// was answered: then the round trip may be shorter, until a later segment tells.
func (c *Conn) timeHandshake(at time.Time) {
	c.syns.answered, c.RTT = at, 0
	if len(c.syns.sent) > 0 {
		c.RTT = max(at.Sub(c.syns.sent[0]), 0)
	}
	if c.mayBeShorter = len(c.syns.sent) > 1; !c.mayBeShorter {
		c.flow.stack.roundTrips.add(c.flow.key.Remote.Addr(), c.RTT)
	}
}

// TimeAnswer takes the round trip of a segment after the handshake that was sent once, where the handshake has not told
// it.
func (c *Conn) TimeAnswer(rtt time.Duration) {
	if rtt = max(rtt, 0); c.mayBeShorter {
		c.RTT, c.mayBeShorter = min(c.RTT, rtt), false
		c.flow.stack.roundTrips.add(c.flow.key.Remote.Addr(), c.RTT)
	}
}

// timeControls does so with the first control that was answered.
func (c *Conn) timeControls() {
	if all := c.log.answers.sum.Controls.RTTs; c.mayBeShorter && len(all) > 0 {
		c.TimeAnswer(slices.Min(all))
	}
}

// SureRTT is the round trip; 0 while it may be that of any of several SYNs (Karn's rule) and no later segment has told.
func (c *Conn) SureRTT() time.Duration {
	if c.mayBeShorter {
		return 0
	}
	return c.RTT
}
