package run

import (
	"context"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// shortMessage is the length to which a termination message cuts messages.
const shortMessage = 300

// FinReorder runs three flows, however many paths the plan has. The longest stall is published. The remedy is in the
// message even if that is cut.
func TestIgnoredFINIsPublished(t *testing.T) {
	p := &plan.Plan{Paths: 16, Alpha: 1e-3, Sources: map[string][]int{"kn1": {0}},
		Targets: []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "FinReorder",
			FinReorder: &plan.FinReorder{Trigger: plan.Trigger{OnAccept: true}, GapMillis: 20}}}}
	b := &conntest.Bench{Peer: &conntest.Closer{OnAccept: true, IgnoresOldAck: true}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace, Background: &verdict.Background{},
			Spec: p.Scenarios[0]}
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), checkAlone(ctx, j, env))
		r := j.results[0]
		if r.Reason != report.FinIgnored || r.Flows != (report.Flows{Tried: 3, Fail: 3}) || r.Share != nil || r.Alpha != 0 {
			t.Errorf("%+v", r)
		}
		if r.StallMillis < 200 || r.StallMillis > 220 {
			t.Errorf("a stall of %d ms", r.StallMillis)
		}
		if cut := r.Message[:min(len(r.Message), shortMessage)]; !strings.Contains(cut, "795a7dfbc3d9") ||
			!strings.Contains(cut, "close() instead of shutdown()") {
			t.Errorf("in short: %s", cut)
		}
	})
}
