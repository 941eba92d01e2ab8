package sequencewrap

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// repeatsLost drops all at 0 but the first of each connection. That of the first connection is late.
func repeatsLost() conntest.Path {
	seen := map[netip.AddrPort]bool{}
	return func(s *segment.Segment, toPeer bool) []time.Duration {
		switch {
		case toPeer && s.Flags.Has(segment.SYN):
			delete(seen, s.Source)
		case !startsAtZero(s, toPeer):
		case seen[s.Source]:
			return nil
		default:
			late := len(seen) == 0
			if seen[s.Source] = true; late {
				return []time.Duration{60 * time.Millisecond}
			}
		}
		return []time.Duration{conntest.Delay}
	}
}

// Where only repeats are lost no real connection suffers that gets its first one through: that is said, and not blamed
// on 0.
func TestOnlyRepeatsAreLost(t *testing.T) {
	o := ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{}, Path: repeatsLost})
	if o.Reason != report.Delivered || !strings.Contains(o.Message, "repeats of it are lost, ") ||
		o.Remains != (flow.Remains{}) {
		t.Errorf("%s / %s: %s\n%s", o.Verdict, o.Reason, o.Message, o.Evidence)
	}
}
