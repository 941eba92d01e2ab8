package handshake

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// A half-open connection that an earlier flow left repeats its SYN-ACK if the source port is used again. With another
// source port the answer is right, unless the path alters numbers.
func TestAlteredAnswerNeedsTwoPorts(t *testing.T) {
	for altered, want := range map[int]report.Reason{1: report.Established, 99: report.Altered} {
		path := func() conntest.Path {
			left := altered
			return func(s *segment.Segment, _ bool) []time.Duration {
				if left > 0 && s.Flags == segment.SYN|segment.ACK {
					left--
					s.Ack = s.Ack.Add(77)
				}
				return []time.Duration{conntest.Delay}
			}
		}
		if o := flowtest.Run(t, Definition, "", plan.Scenario{},
			&conntest.Bench{Peer: &conntest.Listener{}, Path: path}); o.Reason != want {
			t.Errorf("the first %d SYN-ACKs altered: %s, want %s", altered, o.Reason, want)
		}
	}
}
