package scenario

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// run runs one flow of a scenario against a scripted peer.
func run(t *testing.T, name string, b *conntest.Bench) flow.Outcome {
	t.Helper()
	spec := plan.Scenario{AcceptQueue: &plan.AcceptQueue{MaxConnections: 8},
		IdleTimeout: &plan.IdleTimeout{MaxSeconds: 30}}
	return flowtest.Run(t, Registry[name], "Push", spec, b)
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name  string
		peer  conntest.Listener
		drop  conntest.Drop
		shake report.Reason
		wrap  report.Reason
	}{
		{"healthy", conntest.Listener{}, conntest.DropNone, report.Established, report.Delivered},
		{"names no duplicates", conntest.Listener{NoDSACK: true}, conntest.DropNone, report.Established, report.Delivered},
		{"deferred accept", conntest.Listener{Deferred: true}, conntest.DropNone, report.Established, report.Delivered},
		{"queue full", conntest.Listener{QueueFull: true}, conntest.DropNone, report.AckLostOrQueueFull, report.PathDown},
		{"closed port", conntest.Listener{Closed: true}, conntest.DropNone, report.Refused, report.PathDown},
		{"closes on the first byte", conntest.Listener{CloseAfterBytes: 1}, conntest.DropNone, report.Established,
			report.PeerReset},
		{"closes while it is asked", conntest.Listener{CloseAfterSegments: 12}, conntest.PushAtZero, report.Established,
			report.PeerReset},
		{"PSH at 0 dropped", conntest.Listener{}, conntest.PushAtZero, report.Established, report.SequenceZeroDropped},
		{"PSH at 0 dropped, no DSACK", conntest.Listener{NoDSACK: true}, conntest.PushAtZero, report.Established,
			report.SequenceZeroDropped},
		{"FIN, PSH, RST at 0 dropped", conntest.Listener{}, finPushResetAtZero, report.Established,
			report.SequenceZeroDropped},
		{"every PSH dropped", conntest.Listener{}, conntest.EveryPush, report.Established, report.PathDown},
		{"dead path", conntest.Listener{}, conntest.DropAll, report.Filtered, report.PathDown},
		{"RST at 0 lost on the way back", conntest.Listener{Closed: true}, conntest.ReverseRSTAtZero,
			report.ReverseRstZeroDropped, report.PathDown},
		{"only SYNs filtered", conntest.Listener{}, conntest.EverySYN, report.QueueFullOrSynFiltered, report.PathDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for scenario, want := range map[string]report.Reason{"Handshake": c.shake, "SequenceWrap": c.wrap} {
				peer := c.peer
				o := run(t, scenario, &conntest.Bench{Peer: &peer, Path: conntest.Dropping(c.drop)})
				if o.Reason != want {
					t.Errorf("%s: %s / %s, want %s\n%s\n%s", scenario, o.Verdict, o.Reason, want, o.Message,
						o.Evidence)
				}
				if peer.Live() != 0 || o.Remains != (flow.Remains{}) {
					t.Errorf("%s: the peer still holds %d connections, the outcome says %d", scenario, peer.Live(), o.Remains)
				}
			}
		})
	}
}

// If the guard does not work, there is no verdict.
func TestUnguardedFlowIsNotJudged(t *testing.T) {
	for name := range Registry {
		if o := run(t, name, &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(conntest.PushAtZero),
			GuardMisses: true}); o.Reason != report.GuardIncomplete {
			t.Errorf("%s: %s, want GuardIncomplete", name, o.Reason)
		}
	}
}

// If receiving fails, there is no verdict: missing answers do not mean that the path lost them.
func TestFlowWithoutReceiverIsNotJudged(t *testing.T) {
	for name := range Registry {
		if o := run(t, name, &conntest.Bench{Peer: &conntest.Listener{QueueFull: true},
			ReceiveFails: true}); o.Reason != report.ProberFault {
			t.Errorf("%s: %s / %s, want ProberFault", name, o.Verdict, o.Reason)
		}
	}
}

func finPushResetAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags&(segment.FIN|segment.PSH|segment.RST) != 0
}
