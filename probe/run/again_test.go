package run

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// lossAtZero returns a path that loses data with PSH at 0 if drop says so. It also tells which connection of all it is,
// and how much of the time since the first one has passed.
func lossAtZero(drop func(s *segment.Segment, connection int, after time.Duration) bool) func() conntest.Path {
	return func() conntest.Path {
		delay, opened, number, start := 100*time.Microsecond, 0, map[uint16]int{}, time.Time{}
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			delay++
			if start.IsZero() {
				start = time.Now()
			}
			if toPeer && s.Flags == segment.SYN {
				opened++
				number[s.Source.Port()] = opened
			}
			if toPeer && s.Seq.IsZero() && s.Flags.Has(segment.PSH) &&
				drop(s, number[s.Source.Port()], time.Since(start)) {
				return nil
			}
			return []time.Duration{delay}
		}
	}
}

// checkAlone runs the first check of a job, with nothing beside it.
func checkAlone(ctx context.Context, j *job, env flow.Env) answer {
	opened := newOpenings(env.Open, env.Remote, newTurns(j.plan.Paths, j.plan.PacketsPerSecond))
	return j.runCheck(ctx, j.checks[0], env, opened, newWorking())
}

// askedAgain runs one check of 16 flows and returns its result and answer.
func askedAgain(t *testing.T, path func() conntest.Path) (r report.Result, a answer) {
	t.Helper()
	p := &plan.Plan{Paths: 16, Alpha: 1e-3, PacketsPerSecond: 1000, Sources: map[string][]int{"kn1": {0}},
		Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "SequenceWrap", Variants: []string{"Push"}}}}
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: path}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, OpenFrom: b.Stack.OpenFrom, Remote: conntest.Remote, Pace: conntest.Pace,
			Background: &verdict.Background{}, Alpha: j.alpha}
		a = checkAlone(ctx, j, env)
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), a)
		r = j.results[0]
		if notByPath(r) != (r.Verdict == report.Fail && r.Share == nil) || r.Flows.Inconclusive > 0 ||
			j.remains != (flow.Remains{}) {
			t.Errorf("not by path: %v, %+v, %d leaked", notByPath(r), r, j.remains.Left)
		}
	})
	return r, a
}

// A share of paths is published only if each source port gives the same answer again.
func TestShareOfPathsOnlyWhereThePortDecides(t *testing.T) {
	const notPath = "asked again, the same source ports gave other answers, so it is not the path that decides"
	for _, c := range []struct {
		why   string
		drop  func(s *segment.Segment, connection int, after time.Duration) bool
		again int // connections that are asked again, at most
		share bool
		says  string
	}{
		{"the port", func(s *segment.Segment, _ int, _ time.Duration) bool { return s.Source.Port()*40503>>13&3 == 0 },
			verdict.PassedAgain + 5, true, " paths"},
		{"nothing fails", func(*segment.Segment, int, time.Duration) bool { return false }, 0, true, "was answered"},
		{"all fail", func(*segment.Segment, int, time.Duration) bool { return true }, 0, true, "on all of 16 paths tried"},
		{"the order of the connections", func(_ *segment.Segment, n int, _ time.Duration) bool { return n <= 5 },
			verdict.PassedAgain + 5, false, "on 5 of 16 flows (" + notPath},
		{"each third connection", func(_ *segment.Segment, n int, _ time.Duration) bool { return n%3 == 0 },
			verdict.PassedAgain + 5, false, notPath},
		{"the time", func(_ *segment.Segment, n int, after time.Duration) bool { return n < 8 && after < 10*time.Second },
			verdict.PassedAgain + 5, false, notPath},
		{"the length", func(s *segment.Segment, _ int, _ time.Duration) bool { return s.PayloadLen() > 95 },
			0, false, "is lost by its length"},
	} {
		t.Run(c.why, func(t *testing.T) {
			r, a := askedAgain(t, lossAtZero(c.drop))
			// By chance all flows agree, one time in a hundred at most.
			for tries := 0; tries < 5 && c.again > 0 && (r.Flows.Fail == 0 || r.Flows.Pass == 0); tries++ {
				r, a = askedAgain(t, lossAtZero(c.drop))
			}
			if len(a.again) > c.again || (r.Share != nil) != c.share || !strings.Contains(r.Message, c.says) {
				t.Errorf("%d asked again (%+v), share %+v: %s", len(a.again), a.repeats, r.Share, r.Message)
			}
		})
	}
}
