package conntest

import (
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// AcceptResetter is a listener whose application resets each connection that it accepts, as close() does after
// SO_LINGER was set to 0. The peer's segments have PeerHopLimit.
type AcceptResetter struct {
	Listener
	After   time.Duration // how long the application takes
	Bare    bool          // its kernel answers the final ACK by an RST, as tcp_abort_on_overflow does
	OnData  bool          // the application resets once it has data, not before
	Accepts int           // connections that it accepts before it begins to reset; 0: none

	later    func(time.Duration, func() []*segment.Segment)
	accepted map[[2]netip.AddrPort]bool
}

// Later gives the peer a clock.
func (a *AcceptResetter) Later(later func(time.Duration, func() []*segment.Segment)) { a.later = later }

// Receive answers as the listener, and resets what is established.
func (a *AcceptResetter) Receive(s *segment.Segment) (out []*segment.Segment) {
	key := [2]netip.AddrPort{s.Source, s.Destination}
	out = a.Listener.Receive(s)
	if a.accepted == nil {
		a.accepted = map[[2]netip.AddrPort]bool{}
	}
	if c := a.conns[key]; c == nil {
		delete(a.accepted, key)
	} else if c.established && !a.accepted[key] && (!a.OnData || c.rcv != c.start) {
		a.accepted[key] = true
		if a.Accepts--; a.Accepts < 0 {
			a.later(a.After, func() []*segment.Segment { return a.reset(key, c) })
		}
	}
	for _, answer := range out {
		answer.HopLimit = PeerHopLimit
	}
	return out
}

func (a *AcceptResetter) reset(key [2]netip.AddrPort, c *peerConn) []*segment.Segment {
	if a.conns[key] != c {
		return nil
	}
	delete(a.conns, key)
	r := c.bare(segment.RST | segment.ACK)
	if r.HopLimit = PeerHopLimit; a.Bare {
		r.Flags = segment.RST
	}
	return []*segment.Segment{r}
}
