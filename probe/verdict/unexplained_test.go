package verdict

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// lossesOf are so many suspects, of which some were lost, and controls.
func lossesOf(suspects, lost, controls, controlsLost int) Losses {
	return Losses{&report.Segments{Sent: suspects, Lost: lost}, &report.Segments{Sent: controls, Lost: controlsLost}}
}

func TestFarMore(t *testing.T) {
	for _, c := range []struct {
		Losses
		want bool
	}{
		{lossesOf(16, 13, 16, 0), true},
		{lossesOf(296, 163, 272, 0), true},
		{lossesOf(10, 10, 10, 0), true}, // p = 5.4e-06
		{lossesOf(8, 8, 11, 0), false},  // p = 1.3e-05
		{lossesOf(16, 0, 32, 0), false},
		{lossesOf(16, 2, 32, 0), false},
		{lossesOf(30, 14, 60, 26), false},
		{lossesOf(16, 0, 32, 20), false},
		{Losses{Suspects: &report.Segments{Sent: 16, Lost: 13}}, false},
		{Losses{Controls: &report.Segments{Sent: 16, Lost: 13}}, false},
	} {
		if c.FarMore() != c.want {
			t.Errorf("%+v: %t", c.Losses, !c.want)
		}
	}
}

var farMore, alikeLost = lossesOf(16, 13, 32, 0), lossesOf(17, 1, 32, 1)

// No Pass stands where suspects were lost far more often twice. Once is said, and any other verdict stands.
func TestPassBesideLostSuspects(t *testing.T) {
	pass := report.Result{Scenario: "SequenceWrap", Verdict: report.Pass, Reason: report.Delivered, Message: "answered"}
	r := WithLosses(pass, farMore, farMore)
	if r.Verdict != report.Inconclusive || r.Reason != report.LossUnexplained ||
		!strings.Contains(r.Message, "13 of 16 suspects were lost, and 0 of 32 controls (p = ") {
		t.Errorf("twice: %s / %s: %s", r.Verdict, r.Reason, r.Message)
	}
	r = WithLosses(pass, farMore, alikeLost)
	if r.Verdict != report.Pass || !strings.Contains(r.Message, "answered; in flows before them 13 of 16 suspects") {
		t.Errorf("once: %s / %s: %s", r.Verdict, r.Reason, r.Message)
	}
	pass.Verdict = report.Fail
	if r = WithLosses(pass, farMore, farMore); r.Message != "answered" || r.Verdict != report.Fail {
		t.Errorf("a Fail: %s / %s: %s", r.Verdict, r.Reason, r.Message)
	}
}

// Kernel connections that suffer explain such losses; those that do not leave them as they are.
func TestUnexplainedLossBesideKernel(t *testing.T) {
	r := WithLosses(report.Result{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Pass}, farMore, farMore)
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
