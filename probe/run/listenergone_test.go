package run

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// acceptsFew is a server that accepts so many connections and then ends.
type acceptsFew struct {
	conntest.Listener
	left     int
	accepted map[netip.AddrPort]bool
	ended    conntest.Listener
}

func (a *acceptsFew) Receive(s *segment.Segment) []*segment.Segment {
	if a.accepted == nil {
		a.accepted, a.ended = map[netip.AddrPort]bool{}, conntest.Listener{Closed: true}
	}
	if s.Flags == segment.SYN && !a.accepted[s.Source] && a.left > 0 {
		a.left--
		a.accepted[s.Source] = true
	}
	if a.accepted[s.Source] {
		return a.Listener.Receive(s)
	}
	return a.ended.Receive(s)
}

// A server that accepts once is said to, and not that nothing listens. A port that is closed, or refuses some, is not.
func TestListenerIsGone(t *testing.T) {
	for _, c := range []struct {
		scenario plan.Scenario
		peer     conntest.Peer
		want     report.Reason
	}{
		{plan.Scenario{Type: "Handshake"}, &acceptsFew{left: 1}, report.ListenerGone},
		{plan.Scenario{Type: "Handshake"}, &acceptsFew{left: 5}, report.ListenerGone},
		{plan.Scenario{Type: "SequenceWrap", Variants: []string{"Push"}}, &acceptsFew{left: 1}, report.ListenerGone},
		{plan.Scenario{Type: "Handshake"}, &acceptsFew{}, report.Refused},
		{plan.Scenario{Type: "Handshake"}, &acceptsFew{left: 16}, report.Established},
		{plan.Scenario{Type: "SequenceWrap", Variants: []string{"Push"}}, &acceptsFew{}, report.PathDown},
	} {
		p := &plan.Plan{Paths: 16, Alpha: 1e-3, PacketsPerSecond: 1000, Sources: map[string][]int{"kn1": {0}},
			Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
			Scenarios: []plan.Scenario{c.scenario}}
		b := &conntest.Bench{Peer: c.peer}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			j := newJob(p, "kn1", nil)
			env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace,
				Background: &verdict.Background{}, Alpha: j.alpha, Spec: p.Scenarios[0]}
			j.add(0, report.Unanswered(p, "kn1", report.Question{}),
				checkAlone(ctx, j, env))
			r := j.results[0]
			if r.Reason != c.want {
				t.Errorf("%s: %s / %s: %s", c.scenario.Type, r.Verdict, r.Reason, r.Message)
			}
			if c.want == report.ListenerGone && !strings.Contains(r.Message, "refuses all since") {
				t.Error(r.Message)
			}
		})
	}
}
