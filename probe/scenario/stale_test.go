package scenario

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// aged holds connections of an earlier prober for the first source ports that send a SYN. Such a connection answers a
// SYN with a bare ACK (RFC 9293 section 3.10.7.4). An RST ends it if it has exactly the number of that ACK.
type aged struct {
	*conntest.Listener
	older int // number of source ports with an older connection
	held  map[netip.AddrPort]bool
}

var agedAt = seq.At(3_000_000_000)

func (a *aged) Receive(s *segment.Segment) []*segment.Segment {
	if s.Flags == segment.SYN && a.older > 0 && !a.held[s.Source] {
		a.older--
		a.held[s.Source] = true
	}
	switch {
	case !a.held[s.Source]:
		return a.Listener.Receive(s)
	case s.Flags.Has(segment.RST) && s.Seq == agedAt:
		delete(a.held, s.Source)
		return nil
	}
	return []*segment.Segment{{Source: s.Destination, Destination: s.Source, Flags: segment.ACK, Seq: seq.At(7),
		Ack: agedAt, WindowScale: -1}}
}

func (a *aged) Live() int { return a.Listener.Live() + len(a.held) }

// If a killed prober left connections at the target, a flow uses another source port and gets its verdict. It also
// resets the older connections.
func TestOlderConnectionsDoNotCostTheVerdict(t *testing.T) {
	pass := map[string]report.Reason{"Handshake": report.Established, "SequenceWrap": report.Delivered}
	stuck := map[string]report.Reason{"Handshake": report.StaleState, "SequenceWrap": report.PathDown}
	for older, want := range []map[string]report.Reason{pass, pass, pass, stuck} {
		for scenario, reason := range want {
			peer := &aged{Listener: &conntest.Listener{}, older: older, held: map[netip.AddrPort]bool{}}
			o := run(t, scenario, &conntest.Bench{Peer: peer})
			if o.Reason != reason || peer.Live() != 0 || o.Remains != (flow.Remains{}) {
				t.Errorf("%s with %d older connections: %s, want %s; the peer holds %d connections, the outcome says %d\n%s",
					scenario, older, o.Reason, reason, peer.Live(), o.Remains, o.Evidence)
			}
		}
	}
}
