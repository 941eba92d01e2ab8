package lab

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// acknowledged has, for each direction of each TCP connection, the highest acknowledgement that came back. The two
// directions of a switch share it.
type acknowledged struct {
	mu   sync.Mutex
	last map[[2]netip.AddrPort]segment.Segment // that acknowledged it; of each Ack alone
}

// asksAcknowledged reports whether one of the impairments looks at what is acknowledged.
func asksAcknowledged(impairments []fault.Impairment) bool {
	return slices.ContainsFunc(impairments, func(i fault.Impairment) bool {
		return i.DropsOld || i.DropsInFlight || i.AtZero.InFlight
	})
}

// drops reports whether one of the impairments drops a segment, and notes what it acknowledges if none does. SYN and
// RST pass.
func (a *acknowledged) drops(s *segment.Segment, impairments []fault.Impairment) bool {
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
	for _, i := range impairments {
		old := i.DropsOld && s.Seq.Before(answer.Ack)
		inFlight := i.DropsInFlight && s.PayloadLen() > 0 && s.Seq.After(answer.Ack)
		if answered && !syn && !s.Flags.Has(segment.RST) && (old || inFlight) {
			return true
		}
	}
	if l, known := a.last[back]; s.Flags.Has(segment.ACK) && (syn || !known || s.Ack.After(l.Ack)) {
		a.last[back] = segment.Segment{Ack: s.Ack}
	}
	return false
}

// inFlight reports whether what the segment's connection sent before it is not acknowledged yet.
func (a *acknowledged) inFlight(s *segment.Segment) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, answered := a.last[[2]netip.AddrPort{s.Source, s.Destination}]
	return answered && answer.Ack.Before(s.Seq)
}

// isLost reports whether an impairment drops the frame for what is acknowledged.
func (t *delayQueue) isLost(frame []byte) bool {
	if t.acknowledged == nil {
		return false
	}
	s, _, err := segment.Parse(frame, segment.Ethernet, len(frame))
	return err == nil && s != nil && t.acknowledged.drops(s, t.impairments)
}
