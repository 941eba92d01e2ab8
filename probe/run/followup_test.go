package run

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// concluded has three targets whose Push was lost each time, and whose Data passed, judged on such a path. It gives the
// results and the number of connections that this took.
func concluded(t *testing.T, path func() conntest.Path, reason report.Reason) (found []report.Result, opened int) {
	t.Helper()
	target := plan.Target{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}
	p := &plan.Plan{Paths: 1, Alpha: 1e-3, Sources: map[string][]int{"kn1": {0, 1, 2}},
		Targets:   []plan.Target{target, target, target},
		Scenarios: []plan.Scenario{{Type: "SequenceWrap", Variants: []string{"Push", "Data"}}}}
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: path}
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Remote: conntest.Remote, Pace: conntest.Pace, Background: &verdict.Background{}, Alpha: j.alpha}
		env.Open = func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
			opened++
			return b.Stack.Open(ctx, remote, iss)
		}
		for i := range j.over {
			j.over[i] = asked{env: env}
			j.results[2*i] = report.Result{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Fail, Reason: reason}
			j.results[2*i+1] = report.Result{Scenario: "SequenceWrap", Variant: "Data", Verdict: report.Pass,
				Reason: report.Delivered}
		}
		j.conclude(ctx)
		found = j.results
	})
	return found, opened
}

// Each lost result has a follow-up as long as one shows something; after two that show nothing there is none. What
// passed has none.
func TestFollowUps(t *testing.T) {
	pushAtZero := func(s *segment.Segment, toPeer bool) bool {
		return conntest.PushAtZero(s, toPeer) && s.PayloadLen() > 0
	}
	var passed time.Time
	limited := func(s *segment.Segment, toPeer bool) bool {
		if !pushAtZero(s, toPeer) {
			return false
		}
		if time.Since(passed).Abs() < time.Second {
			return true
		}
		passed = time.Now()
		return false
	}
	for name, c := range map[string]struct {
		before, after report.Reason
		lost          conntest.Drop
		opened        int
	}{
		"all": {report.SequenceZeroDropped, report.SequenceZeroDropped, pushAtZero, 2},
		"those without the option": {report.SequenceZeroDropped, report.SequenceZeroDroppedByOptions,
			func(s *segment.Segment, toPeer bool) bool { return pushAtZero(s, toPeer) && s.Timestamps == nil }, 3},
		"those with the option": {report.SequenceZeroStalled, report.SequenceZeroDroppedByOptions,
			func(s *segment.Segment, toPeer bool) bool { return pushAtZero(s, toPeer) && s.Timestamps != nil }, 3},
		"none":                   {report.SequenceZeroStalled, report.SequenceZeroStalled, conntest.DropNone, 2},
		"more than one a second": {report.SequenceZeroDropped, report.SequenceZeroLossy, limited, 3},
		"late ones":              {report.SequenceZeroDelayed, report.SequenceZeroDelayed, conntest.DropNone, 0},
	} {
		passed = time.Time{}
		found, opened := concluded(t, conntest.Dropping(c.lost), c.before)
		if opened != c.opened {
			t.Errorf("%s: %d connections, want %d", name, opened, c.opened)
		}
		for i, r := range found {
			if want := []report.Reason{c.after, report.Delivered}[i%2]; r.Reason != want {
				t.Errorf("%s: %s: %s, want %s", name, r.Reason, r.Message, want)
			}
		}
	}
}
