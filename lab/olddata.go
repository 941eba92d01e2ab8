package lab

import (
	"net/netip"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// acknowledged has, for each direction of each TCP connection, the highest acknowledgement that came back. The two
// directions of a switch share it.
type acknowledged struct {
	mu   sync.Mutex
	last map[[2]netip.AddrPort]segment.Segment // that acknowledged it; of each Ack alone
}

// passes notes what the segment acknowledges, and reports whether it is none that begins before what was acknowledged
// already. SYN and RST pass.
func (a *acknowledged) passes(s *segment.Segment) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		a.last = map[[2]netip.AddrPort]segment.Segment{}
	}
	forward, back := [2]netip.AddrPort{s.Source, s.Destination}, [2]netip.AddrPort{s.Destination, s.Source}
	syn := s.Flags.Has(segment.SYN)
	if syn {
		delete(a.last, forward)
	}
	answer, answered := a.last[forward]
	if answered && !syn && !s.Flags.Has(segment.RST) && s.Seq.Before(answer.Ack) {
		return false
	}
	if l, known := a.last[back]; s.Flags.Has(segment.ACK) && (syn || !known || s.Ack.After(l.Ack)) {
		a.last[back] = segment.Segment{Ack: s.Ack}
	}
	return true
}

// isOld reports whether an impairment drops the frame because its data was acknowledged already.
func (t *delayQueue) isOld(frame []byte) bool {
	drops := false
	for _, i := range t.impairments {
		drops = drops || i.DropsOld
	}
	if !drops {
		return false
	}
	s, _, err := segment.Parse(frame, segment.Ethernet, len(frame))
	return err == nil && s != nil && !t.acknowledged.passes(s)
}
