package sequencewrap

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
)

// If only what is at 0 is lost, the report counts every suspect as lost and no control, of all connections of a flow.
func TestOnlySuspectsAreCountedAsLost(t *testing.T) {
	for _, variant := range []string{"Push", "PushFin"} {
		for name, peer := range map[string]conntest.Peer{"ordinary": &conntest.Listener{},
			"behind a device that drops old bytes": &conntest.OldDropper{Peer: &conntest.Listener{}}} {
			o := flowtest.Run(t, Definition, variant, plan.Scenario{},
				&conntest.Bench{Peer: peer, Path: conntest.Dropping(conntest.PushAtZero)})
			s, c := o.Segments.Suspects, o.Segments.Controls
			if s.Sent == 0 || s.Lost != s.Sent || c.Sent == 0 || name == "ordinary" && c.Lost > 0 || 10*c.Lost > 3*c.Sent {
				t.Errorf("%s, %s: %d of %d suspects, %d of %d controls\n%s", variant, name, s.Lost, s.Sent, c.Lost, c.Sent,
					o.Message)
			}
			t.Logf("%s, %s: %d of %d suspects, %d of %d controls", variant, name, s.Lost, s.Sent, c.Lost, c.Sent)
		}
	}
}
