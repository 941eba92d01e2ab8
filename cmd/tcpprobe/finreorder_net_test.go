//go:build net

package main

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// closers are the servers that close first, with what makes them.
var closers = map[lab.Server]string{
	lab.HalfClose: "on-accept", lab.CloseOnAccept: "on-accept", lab.ShutdownOnAccept: "on-accept",
	lab.CloseAfterText: "send=QUIT", lab.HalfCloseAfter: "send=QUIT", lab.ShutdownAfterText: "send=QUIT",
	lab.HTTPClose: "http-get", lab.HTTPHalfClose: "http-get=/healthz", lab.HTTPShutdown: "http-get", lab.HTTPLinger: "http-get",
}

// farewells asks for FinReorder.
func farewells(guard, trigger string, server lab.Server) *labOptions {
	o := quick(guard)
	o.scenarios, o.trigger, o.server = []string{"FinReorder"}, trigger, string(server)
	return o
}

// This kernel accepts a FIN that an ACK overtook however the application closes, and keeps nothing: the RST removes its TIME_WAIT too.
func TestFinReorderOnEveryClosingServer(t *testing.T) {
	for _, guard := range []string{"tcx", "clsact"} {
		t.Run(guard, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, lab.Options{Conntrack: guard == "tcx"})
			for server, trigger := range closers {
				t.Run(string(server), func(t *testing.T) {
					p := farewell(t, s, farewells(guard, trigger, server))
					for _, r := range p.Report.Results {
						if r.Reason != report.FinAccepted || r.Flows.Pass != 3 || r.StallMillis != 0 {
							t.Errorf("%s: %s / %s, %+v, stall %d ms: %s\n%v", r.Target, r.Verdict, r.Reason, r.Flows, r.StallMillis, r.Message, r.Evidence)
						}
					}
				})
			}
			expectNothingLeft(t, s)
		})
	}
}

// The way there does not matter: loss, late and doubled segments never become a verdict about the peer.
func TestFinReorderThroughABadSwitch(t *testing.T) {
	t.Parallel()
	s := newSite(t, lab.Options{})
	for _, faults := range [][]string{{"loss=10%"}, {"burst=5%/50ms"}, {"delay=10ms/5ms", "reorder=20%/15ms", "duplicate=10%"}} {
		p := farewell(t, s, farewells("", "http-get", lab.HTTPHalfClose), faults...)
		for _, r := range p.Report.Results {
			if r.Verdict == report.Fail {
				t.Errorf("%v: %s / %s: %s\n%v", faults, r.Verdict, r.Reason, r.Message, r.Evidence)
			}
		}
	}
}

// A server that does not close is no Pass and no Fail.
func TestFinReorderWithoutAClose(t *testing.T) {
	t.Parallel()
	s := newSite(t, lab.Options{})
	for _, r := range farewell(t, s, farewells("", "on-accept", lab.Echo)).Report.Results {
		if r.Verdict != report.Inconclusive || r.Reason != report.PeerDidNotClose {
			t.Errorf("%s / %s, want PeerDidNotClose: %s", r.Verdict, r.Reason, r.Message)
		}
	}
	expectNothingLeft(t, s)
}

func farewell(t *testing.T, s *site, o *labOptions, faults ...string) pass {
	t.Helper()
	parsed, err := fault.ParseAll(faults)
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.pass(t.Context(), s, parsed)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(o.families()); len(p.Report.Results) != n || p.Report.Guard.ResetsDropped != 0 || p.Report.LeakedFlows != 0 {
		t.Errorf("%d results, want %d; guard %+v, %d flows leaked", len(p.Report.Results), n, p.Report.Guard, p.Report.LeakedFlows)
	}
	return p
}
