package run

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// askedOf runs one check with 16 flows against a peer, and counts the segments that it took.
func askedOf(t *testing.T, scenario string, peer conntest.Peer) (r report.Result, sent int) {
	t.Helper()
	p := &plan.Plan{Paths: 16, Alpha: 1e-3, PacketsPerSecond: 1000, Sources: map[string][]int{"kn1": {0}},
		Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: scenario}}}
	if scenario == "SequenceWrap" {
		p.Scenarios[0].Variants = []string{"Push"}
	}
	b := &conntest.Bench{Peer: peer}
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace,
			Background: &verdict.Background{}, Alpha: j.alpha, Accepting: verdict.NewAccepting(),
			Lateness: &verdict.Lateness{}}
		env.Spec = p.Scenarios[0]
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), checkAlone(ctx, j, env))
		r = j.results[0]
		sent = b.Stack.Sent()
	})
	return r, sent
}

// An application that resets what it accepts is told from one that resets on data, a queue that resets when it is full,
// and devices that reset in its name.
func TestResetOnAccept(t *testing.T) {
	const few = 200
	for name, c := range map[string]struct {
		peer        func() conntest.Peer
		shake, wrap report.Reason
		few         bool
	}{
		"at once": {func() conntest.Peer { return &conntest.AcceptResetter{} }, report.ResetOnAccept,
			report.ResetOnAccept, true},
		"after 20 ms": {func() conntest.Peer { return &conntest.AcceptResetter{After: 20 * time.Millisecond} },
			report.Established, report.Delivered, false},
		"on data": {func() conntest.Peer { return &conntest.AcceptResetter{OnData: true} }, report.Established,
			report.PeerReset, false},
		"by its kernel": {func() conntest.Peer { return &conntest.AcceptResetter{Bare: true} }, report.PeerReset,
			report.PeerReset, false},
		"by a device": {func() conntest.Peer {
			return &conntest.Resetter{Peer: &conntest.Listener{}, HopLimit: 61, Acknowledges: true,
				Resets: func(s *segment.Segment) bool { return s.Flags.Has(segment.ACK) }}
		}, report.PeerReset, report.PeerReset, false},
	} {
		for scenario, want := range map[string]report.Reason{"Handshake": c.shake, "SequenceWrap": c.wrap} {
			r, sent := askedOf(t, scenario, c.peer())
			if r.Reason != want || c.few && sent > few {
				t.Errorf("%s: %s: %s / %s with %d segments, want %s: %s\n%s", name, scenario, r.Verdict, r.Reason, sent, want,
					r.Message, r.Evidence)
			}
			t.Log(name, scenario, r.Reason, r.Flows, sent, r.Message)
		}
	}
}
