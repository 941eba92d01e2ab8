//go:build net

package labcmd

import (
	"context"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// newTestbed returns a testbed for one test.
func newTestbed(t *testing.T, o lab.Options) *testbed {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := openTestbed(ctx, o, nil)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		cancel()
	})
	return s
}

// quick returns options with few flows and a rate for a network without other traffic.
func quick(guard string) *options {
	q := asks("Handshake", "SequenceWrap")
	q.Paths, q.PacketsPerSecond = 2, 2000
	return &options{ProbeFlags: q, family: "both", server: string(lab.Echo), guard: guard}
}

// probeOnce probes once through a switch with the faults.
func probeOnce(t *testing.T, s *testbed, o *options, faults ...string) probeResult {
	t.Helper()
	parsed, err := fault.ParseAll(faults)
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.probe(t.Context(), s, parsed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// probe probes once and returns the results by scenario and family.
func probe(t *testing.T, s *testbed, o *options, faults ...string) (probeResult, map[string]report.Result) {
	t.Helper()
	p := probeOnce(t, s, o, faults...)
	found := map[string]report.Result{}
	for _, r := range p.Report.Results {
		found[r.Scenario+"/"+r.Family] = r
	}
	if len(found) != 2*len(o.families()) {
		t.Fatalf("results %+v", p.Report.Results)
	}
	return p, found
}

// expect compares the results of both families with the allowed ones, "Verdict/Reason": one of the handshake, several
// of the segment at sequence 0.
func expect(t *testing.T, found map[string]report.Result, handshake string, wrap ...string) {
	t.Helper()
	for key, r := range found {
		want := map[string][]string{"Handshake": {handshake}, "SequenceWrap": wrap}[r.Scenario]
		if got := string(r.Verdict) + "/" + string(r.Reason); !slices.Contains(want, got) {
			t.Errorf("%s: %s, want one of %v\n%s\n%v", key, got, want, r.Message, r.Evidence)
		}
	}
}

// asks returns probe flags with their defaults and these scenarios.
func asks(scenarios ...string) cli.ProbeFlags {
	return cli.ProbeFlags{Scenarios: scenarios, Paths: cli.DefaultPaths, Alpha: cli.DefaultAlpha,
		PacketsPerSecond: cli.OrdinaryRate,
		FinReorderFlags:  cli.FinReorderFlags{GapMillis: cli.DefaultGap}}
}
