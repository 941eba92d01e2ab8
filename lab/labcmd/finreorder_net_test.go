//go:build net

package labcmd

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// closers has the servers that close first, with the trigger of each.
var closers = map[lab.Server]string{
	lab.HalfClose: "on-accept", lab.CloseOnAccept: "on-accept", lab.ShutdownOnAccept: "on-accept",
	lab.CloseAfterText: "send=QUIT", lab.HalfCloseAfter: "send=QUIT", lab.ShutdownAfterText: "send=QUIT",
	lab.HTTPClose: "http-get", lab.HTTPHalfClose: "http-get=/healthz",
	lab.HTTPShutdown: "http-get", lab.HTTPLinger: "http-get",
}

// finReorderOptions returns options for FinReorder.
func finReorderOptions(guard, trigger string, server lab.Server) *options {
	o := quick(guard)
	o.Scenarios, o.Trigger, o.server = []string{"FinReorder"}, trigger, string(server)
	return o
}

// This kernel accepts a FIN that an ACK has overtaken, in whichever way the application closes. It has no state left
// afterwards: the RST also removes TIME_WAIT.
func TestFinReorderOnEveryClosingServer(t *testing.T) {
	for _, guard := range []string{"tcx", "clsact"} {
		t.Run(guard, func(t *testing.T) {
			t.Parallel()
			s := newTestbed(t, lab.Options{Conntrack: guard == "tcx"})
			for server, trigger := range closers {
				t.Run(string(server), func(t *testing.T) {
					p := probeFinReorder(t, s, finReorderOptions(guard, trigger, server))
					for _, r := range p.Report.Results {
						if r.Reason != report.FinAccepted || r.Flows.Pass != 3 || r.StallMillis != 0 {
							t.Errorf("%s: %s / %s, %+v, stall %d ms: %s\n%v", r.Target, r.Verdict, r.Reason, r.Flows, r.StallMillis,
								r.Message, r.Evidence)
						}
					}
				})
			}
			labtest.ExpectNothingLeft(t, s.Lab)
		})
	}
}

// Loss, delay and duplication on the path never give a verdict about the peer.
func TestFinReorderThroughABadSwitch(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	for _, faults := range [][]string{{"loss=10%"}, {"burst=5%/50ms"},
		{"delay=10ms/5ms", "reorder=20%/15ms", "duplicate=10%"}} {
		p := probeFinReorder(t, s, finReorderOptions("", "http-get", lab.HTTPHalfClose), faults...)
		for _, r := range p.Report.Results {
			if r.Verdict == report.Fail {
				t.Errorf("%v: %s / %s: %s\n%v", faults, r.Verdict, r.Reason, r.Message, r.Evidence)
			}
		}
	}
}

// If the server does not close, the result is neither Pass nor Fail.
func TestFinReorderWithoutAClose(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	for _, r := range probeFinReorder(t, s, finReorderOptions("", "on-accept", lab.Echo)).Report.Results {
		if r.Verdict != report.Inconclusive || r.Reason != report.PeerDidNotClose {
			t.Errorf("%s / %s, want PeerDidNotClose: %s", r.Verdict, r.Reason, r.Message)
		}
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}

func probeFinReorder(t *testing.T, s *testbed, o *options, faults ...string) probeResult {
	t.Helper()
	p := probeOnce(t, s, o, faults...)
	if n := len(o.families()); len(p.Report.Results) != n || p.Report.Guard.ResetsDropped != 0 ||
		p.Report.LeakedFlows != 0 {
		t.Errorf("%d results, want %d; guard %+v, %d flows leaked", len(p.Report.Results), n, p.Report.Guard,
			p.Report.LeakedFlows)
	}
	return p
}
