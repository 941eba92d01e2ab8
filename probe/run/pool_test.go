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

// A finding of the test over all flows has the evidence of a flow that lost a suspect, although each flow also
// delivered one.
func TestSprayedLossIsPublishedWithEvidence(t *testing.T) {
	p := &plan.Plan{Paths: 4, Alpha: 1e-3, Sources: map[string][]int{"kn1": {0}},
		Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "SequenceWrap", Variants: []string{"Push"}}}}
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: everyThirdSuspectLost}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace, Background: &verdict.Background{},
			Alpha: j.alpha}
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), j.runCheck(ctx, j.checks[0], env, newOpenings(env.Open)))
		r := j.results[0]
		if r.Reason != report.SequenceZeroLossy || r.Flows != (report.Flows{Tried: 4, Pass: 4}) || r.Alpha != p.Alpha {
			t.Errorf("%+v", r)
		}
		if told := r.Evidence.String(); !strings.Contains(told, "(suspect)") || len(j.failures) != 1 {
			t.Errorf("%d captures, evidence:\n%s", len(j.failures), told)
		}
	})
}

// everyThirdSuspectLost drops the first suspect of each flow, the fourth, and so on. It does not reorder.
func everyThirdSuspectLost() conntest.Path {
	sent, delay := map[uint16]int{}, 100*time.Microsecond
	return func(s *segment.Segment, toPeer bool) []time.Duration {
		delay++
		if toPeer && s.Seq.IsZero() && s.Flags.Has(segment.PSH) {
			sent[s.Source.Port()]++
			if sent[s.Source.Port()]%3 == 1 {
				return nil
			}
		}
		return []time.Duration{delay}
	}
}
