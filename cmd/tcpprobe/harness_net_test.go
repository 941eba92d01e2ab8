//go:build net

package main

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// newSite is a site for one test.
func newSite(t *testing.T, o lab.Options) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := openSite(ctx, o, nil)
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

// quick is a question that the tests below ask: few flows, at a rate that suits a network without
// anybody else.
func quick(guard string) *labOptions {
	q := ask("Handshake", "SequenceWrap")
	q.paths, q.packetsPerSecond = 2, 2000
	return &labOptions{question: *q, family: "both", server: string(lab.Echo), guard: guard}
}

// probe makes one pass and returns what it found, by scenario and family.
func probe(t *testing.T, s *site, o *labOptions, faults ...string) (pass, map[string]report.Result) {
	t.Helper()
	parsed, err := fault.ParseAll(faults)
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.pass(t.Context(), s, parsed)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]report.Result{}
	for _, r := range p.Report.Results {
		found[r.Scenario+"/"+r.Family] = r
	}
	if len(found) != 2*len(o.families()) {
		t.Fatalf("results %+v", p.Report.Results)
	}
	return p, found
}

// expect compares the results of both families with what may be said, "Verdict/Reason", of the handshake and of
// the segment at sequence 0.
func expect(t *testing.T, found map[string]report.Result, handshake string, wrap ...string) {
	t.Helper()
	for key, r := range found {
		want := map[string][]string{"Handshake": {handshake}, "SequenceWrap": wrap}[r.Scenario]
		if got := string(r.Verdict) + "/" + string(r.Reason); !slices.Contains(want, got) {
			t.Errorf("%s: %s, want one of %v\n%s\n%v", key, got, want, r.Message, r.Evidence)
		}
	}
}

// expectNothingLeft waits for the server's kernel to forget every connection of the client's: its sockets within
// a second, and what connection tracking holds within 12 s (10 s after a reset).
func expectNothingLeft(t *testing.T, s *site) {
	t.Helper()
	for _, f := range lab.Families {
		awaitEmpty(t, "sockets", time.Second, s.Server().Sockets, s.ClientAddr(f))
	}
	for _, f := range lab.Families {
		awaitEmpty(t, "tracked connections", 12*time.Second, s.Server().Conntrack, s.ClientAddr(f))
	}
}

func awaitEmpty(t *testing.T, what string, within time.Duration, count func(netip.Addr) (map[string]int, error), peer netip.Addr) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		left, err := count(peer)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("after %s the server still has %s of %s: %v", within, what, peer, left)
			return
		}
	}
}
