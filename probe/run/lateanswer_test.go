package run

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// late is a path that delays SYN-ACKs, and all other segments of that way.
func late(synAck, others time.Duration) func() conntest.Path {
	return func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case toPeer:
				return []time.Duration{conntest.Delay}
			case s.Flags == segment.SYN|segment.ACK:
				return []time.Duration{synAck}
			}
			return []time.Duration{others}
		}
	}
}

// firstSYNLost loses the first SYN of each source port.
func firstSYNLost() conntest.Path {
	seen := map[uint16]bool{}
	return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
		if !toPeer || s.Flags != segment.SYN || seen[s.Source.Port()] {
			return false
		}
		seen[s.Source.Port()] = true
		return true
	})()
}

// An answer that comes late is no silence, and what it costs is in the message. A long way alone is not worth a word
// about lost SYNs, nor is loss that hits all segments.
func TestLateAnswerIsNoSilence(t *testing.T) {
	const slow, repeated = "the slowest SYN-ACK came ", "first SYNs, or their answers, are dropped or late"
	r := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		why            string
		path           func() conntest.Path
		slow, repeated bool
	}{
		{"in time", late(conntest.Delay, conntest.Delay), false, false},
		{"SYN-ACKs after 2.2 s", late(2200*time.Millisecond, conntest.Delay), true, true},
		{"SYN-ACKs after 4 s", late(4*time.Second, conntest.Delay), true, true},
		{"all after 600 ms", late(600*time.Millisecond, 600*time.Millisecond), false, false},
		{"the first SYN lost", firstSYNLost, false, true},
		{"a tenth lost", conntest.Dropping(conntest.DropRandomly(r, 0.1)), false, false},
	} {
		got := handshakes(t, 16, &conntest.Bench{Peer: &conntest.Listener{}, Path: c.path})
		if got.Reason != report.Established || got.Flows.Pass != 16 {
			t.Errorf("%s: %s, %+v: %s", c.why, got.Reason, got.Flows, got.Message)
		}
		if strings.Contains(got.Message, slow) != c.slow || strings.Contains(got.Message, repeated) != c.repeated {
			t.Errorf("%s: %s", c.why, got.Message)
		}
	}
}

// One ICMP error outweighs silence, but not what is known of other flows.
func TestICMPErrorOutweighsSilence(t *testing.T) {
	outcome := func(v report.Verdict, r report.Reason) (o flow.Outcome) {
		o.Verdict, o.Reason, o.Message = v, r, string(r)
		return o
	}
	flows := []flow.Outcome{outcome(report.Fail, report.Filtered), outcome(report.Fail, report.Filtered),
		outcome(report.Fail, report.Unreachable), outcome(report.Pass, report.Established)}
	noteUnreachable(flows)
	best, n := verdict.Combine(findingsOf(flows))
	if best.Reason != report.Unreachable || n.Fail != 3 || n.Pass != 1 ||
		best.Message != "Unreachable; 2 of 4 flows got no answer at all" {
		t.Errorf("%+v, %+v", best, n)
	}
	flows = []flow.Outcome{outcome(report.Fail, report.Filtered), outcome(report.Fail, report.Refused)}
	noteUnreachable(flows)
	if flows[0].Reason != report.Filtered || flows[1].Reason != report.Refused {
		t.Errorf("changed without an ICMP error: %+v", flows)
	}
}
