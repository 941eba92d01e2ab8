package lab

import (
	"net/netip"
	"sync"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// wrapTable is what a device that follows connections knows of their numbers: of both directions, since one carries the
// acknowledgements of the other.
type wrapTable struct {
	mu    sync.Mutex
	flows map[[2]netip.AddrPort]*fault.Numbers // by source and destination
}

// drops notes a segment, and reports whether one of the impairments drops it.
func (t *wrapTable) drops(s *segment.Segment, impairments []fault.Impairment) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flows == nil {
		t.flows = map[[2]netip.AddrPort]*fault.Numbers{}
	}
	mine, theirs := [2]netip.AddrPort{s.Source, s.Destination}, [2]netip.AddrPort{s.Destination, s.Source}
	if s.Flags.Has(segment.SYN) {
		t.flows[mine] = &fault.Numbers{First: s.Seq.Uint32(), Acked: s.Seq.Uint32()}
	}
	for _, i := range impairments {
		if i.Wrap.Loses(s, t.flows[mine]) {
			return true
		}
	}
	if k := t.flows[theirs]; k != nil && s.Flags.Has(segment.ACK) {
		k.Acked = s.Ack.Uint32()
	}
	return false
}

// errsAtWrap reports whether one of the impairments does.
func errsAtWrap(impairments []fault.Impairment) bool {
	for _, i := range impairments {
		if i.Wrap != (fault.Wrap{}) {
			return true
		}
	}
	return false
}
