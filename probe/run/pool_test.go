package run

import (
	"context"
	"math/rand/v2"
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
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: sprayed}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace, Background: &verdict.Background{},
			Alpha: j.alpha}
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), checkAlone(ctx, j, env))
		r := j.results[0]
		if r.Reason != report.SequenceZeroLossy || r.Flows != (report.Flows{Tried: 4, Pass: 4}) || r.Alpha != p.Alpha {
			t.Errorf("%+v", r)
		}
		if told := r.Evidence.String(); !strings.Contains(told, "(suspect)") || len(j.failures) != 1 {
			t.Errorf("%d captures, evidence:\n%s", len(j.failures), told)
		}
	})
}

// sprayed drops the first suspects of two flows, and a tenth of all others, which is chance. It does not reorder.
func sprayed() conntest.Path {
	r, delay, firsts := rand.New(rand.NewPCG(5, 5)), 100*time.Microsecond, map[uint16]bool{}
	return func(s *segment.Segment, toPeer bool) []time.Duration {
		delay++
		if !toPeer || !s.Seq.IsZero() || !s.Flags.Has(segment.PSH) {
			return []time.Duration{delay}
		}
		first := len(firsts) < 2 && !firsts[s.Source.Port()]
		if firsts[s.Source.Port()] = true; first || r.Float64() < 0.1 {
			return nil
		}
		return []time.Duration{delay}
	}
}
