package sequencewrap

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Where a device rewrites sequence numbers and not those in SACK options, each flow sees what it sees elsewhere, no
// answer is taken for a loss, and it is noted. Where nothing does, it is not.
func TestSACKOptionsOfOtherNumbers(t *testing.T) {
	for _, c := range []struct {
		name     string
		rewrites bool
		drop     conntest.Drop
		want     report.Reason
	}{
		{"healthy", true, conntest.DropNone, report.Delivered},
		{"PSH at 0", true, conntest.PushAtZero, report.SequenceZeroDropped},
		{"nothing is rewritten", false, conntest.PushAtZero, report.SequenceZeroDropped},
	} {
		t.Run(c.name, func(t *testing.T) {
			var peer conntest.Peer = &conntest.Listener{}
			if c.rewrites {
				peer = &conntest.Renumberer{Peer: peer}
			}
			for range 16 {
				o := ask(t, variant.Default().Name, &conntest.Bench{Peer: peer, Path: conntest.Dropping(c.drop)})
				controls := o.Segments.Controls
				if o.Reason != c.want || o.Remains != (flow.Remains{}) || controls.Lost > 0 {
					t.Errorf("%s / %s, %d of %d controls lost: %s\n%s", o.Verdict, o.Reason, controls.Lost, controls.Sent,
						o.Message, o.Evidence)
				}
				if noted := o.SACKShifted; noted != (c.rewrites && c.want != report.Delivered) {
					t.Errorf("noted: %v", noted)
				}
			}
		})
	}
}
