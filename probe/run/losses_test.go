package run

import (
	"context"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// passing is a flow that delivered a suspect in the end and lost so many before.
func passing(lost int) flow.Outcome {
	return flow.Outcome{Finding: verdict.Finding{Verdict: report.Pass, Reason: report.Delivered, Message: "answered"},
		Port: 1, Segments: conn.Segments{Suspects: conn.Counted{Sent: 1 + lost, Lost: lost}, Controls: conn.Counted{Sent: 2}}}
}

// Flows that all passed and lost far more suspects than controls are asked anew. No Pass stands where that is so again.
func TestNoPassBesideLostSuspects(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, again flow.Outcome
		asked        int
		want         report.Reason
		says         string
	}{
		{"twice", passing(1), passing(1), 16, report.LossUnexplained, "16 of 32 suspects were lost, and 0 of 32 controls"},
		{"once", passing(1), passing(0), 16, report.Delivered, "answered; in flows before them 16 of 32 suspects"},
		{"fails then", passing(1), flow.Outcome{Finding: verdict.Finding{Verdict: report.Fail,
			Reason: report.SequenceZeroDropped, Message: "is lost"}}, 16, report.SequenceZeroDropped, "is lost"},
		{"nothing lost", passing(0), passing(1), 0, report.Delivered, "answered"},
	} {
		p := &plan.Plan{Paths: 16, Alpha: 1e-3, Sources: map[string][]int{"kn1": {0}},
			Scenarios: []plan.Scenario{{Type: "SequenceWrap", Variants: []string{"Push"}}}, Targets: []plan.Target{{}}}
		j, a, asked := newJob(p, "kn1", nil), answer{perPath: true}, make(chan bool, 16)
		for range 16 {
			a.flows = append(a.flows, c.first)
		}
		ask := func(context.Context, *flow.Env) flow.Outcome { asked <- true; return c.again }
		askAboutLosses(t.Context(), ask, &flow.Env{}, newTurns(16, 1000), &a)
		j.add(0, report.Unanswered(p, "kn1", report.Question{}), a)
		r := j.results[0]
		if r.Reason != c.want || !strings.Contains(r.Message, c.says) || len(asked) != c.asked {
			t.Errorf("%s: %s / %s, %d asked anew: %s", c.name, r.Verdict, r.Reason, len(asked), r.Message)
		}
		if (r.Covers != nil) != (r.Verdict == report.Pass) || r.Suspects.Sent < 16 {
			t.Errorf("%s: covers %+v, suspects %+v", c.name, r.Covers, r.Suspects)
		}
	}
}
