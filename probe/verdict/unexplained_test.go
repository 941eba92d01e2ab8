package verdict

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// No Pass stands where suspects were lost far more often than controls; what chance explains does, and so does any
// other verdict.
func TestPassBesideLostSuspects(t *testing.T) {
	of := func(sent, lost int) *report.Segments { return &report.Segments{Sent: sent, Lost: lost} }
	for _, c := range []struct {
		suspects, controls *report.Segments
		want               report.Reason
	}{
		{of(16, 13), of(32, 0), report.LossUnexplained},
		{of(296, 163), of(272, 0), report.LossUnexplained},
		{of(16, 0), of(32, 0), report.Delivered},
		{of(16, 2), of(32, 0), report.Delivered},
		{of(30, 14), of(60, 26), report.Delivered},
		{of(16, 0), of(32, 20), report.Delivered},
		{of(16, 13), nil, report.Delivered},
		{nil, of(16, 13), report.Delivered},
	} {
		r := WithLosses(report.Result{Scenario: "SequenceWrap", Verdict: report.Pass, Reason: report.Delivered,
			Suspects: c.suspects, Controls: c.controls})
		if r.Reason != c.want || (r.Verdict == report.Pass) != (c.want == report.Delivered) {
			t.Errorf("%+v, %+v: %s / %s: %s", c.suspects, c.controls, r.Verdict, r.Reason, r.Message)
		}
	}
	for _, r := range []report.Result{{Scenario: "Handshake", Verdict: report.Pass},
		{Scenario: "SequenceWrap", Verdict: report.Fail}} {
		r.Suspects, r.Controls = of(16, 13), of(32, 0)
		if WithLosses(r).Reason != "" {
			t.Errorf("%+v", r)
		}
	}
}

// Kernel connections that suffer explain such losses; those that do not leave them as they are.
func TestUnexplainedLossBesideKernel(t *testing.T) {
	r := WithLosses(report.Result{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Pass,
		Suspects: &report.Segments{Sent: 16, Lost: 13}, Controls: &report.Segments{Sent: 32}})
	if !Unsettled(r) {
		t.Error("nothing can settle it")
	}
	stalled := WithKernel(r, report.KernelConnections{Outcome: report.KernelStalled, Message: "5 stall"}, "", 1e-3)
	if stalled.Reason != report.SequenceZeroStalled || !strings.Contains(stalled.Message, "13 of 16 suspects") {
		t.Errorf("%s: %s", stalled.Reason, stalled.Message)
	}
	well := WithKernel(r, report.KernelConnections{Outcome: report.KernelUnharmed, Message: "5 get through"}, "", 1e-3)
	if well.Reason != report.LossUnexplained || !strings.Contains(well.Message, "5 get through") {
		t.Errorf("%s: %s", well.Reason, well.Message)
	}
}
