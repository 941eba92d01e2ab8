package verdict

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func wrapResult(name string, v report.Verdict, why report.Reason) report.Result {
	return report.Result{Scenario: "SequenceWrap", Variant: name, Verdict: v, Reason: why, Message: "m"}
}

// Only a fault that crafted segments met, and that kernel connections can meet, explains their harm.
func TestExplains(t *testing.T) {
	passed := wrapResult("Push", report.Pass, report.Delivered)
	straddle := wrapResult("Straddle", report.Fail, report.WrapWindowDropped)
	urgent := wrapResult("UrgentPush", report.Fail, report.SequenceZeroDropped)
	for _, c := range []struct {
		name string
		all  []report.Result
		harm report.KernelOutcome
		want string
	}{
		{"nothing failed", []report.Result{passed}, report.KernelStalled, ""},
		{"dropped", []report.Result{wrapResult("Data", report.Pass, report.Delivered),
			wrapResult("Push", report.Fail, report.SequenceZeroDropped)}, report.KernelStalled, "Push"},
		{"reset", []report.Result{wrapResult("Push", report.Fail, report.ResetAtZero)}, report.KernelDied, "Push"},
		{"beyond the wrap", []report.Result{passed, straddle}, report.KernelStalled, "Straddle"},
		{"late", []report.Result{wrapResult("Push", report.Fail, report.SequenceZeroDelayed)}, report.KernelStalled, "Push"},
		{"late, and they die", []report.Result{wrapResult("Push", report.Fail, report.SequenceZeroDelayed)},
			report.KernelDied, ""},
		{"with URG only", []report.Result{passed, urgent}, report.KernelStalled, ""},
		{"with URG, and PSH was not asked", []report.Result{urgent}, report.KernelStalled, "UrgentPush"},
		{"a FIN", []report.Result{wrapResult("Fin", report.Fail, report.SequenceZeroDropped)}, report.KernelStalled, ""},
		{"other loss", []report.Result{wrapResult("Push", report.Inconclusive, report.PathLossy)},
			report.KernelStalled, ""},
	} {
		if got := Explains(c.all, c.harm); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What another variant explains turns no Pass, and no reset, into a Fail.
func TestWithKernelExplained(t *testing.T) {
	const says = "m; this host's own connections that cross 0 suffer what SequenceWrap/Push shows: k"
	passed := wrapResult("Data", report.Pass, report.Delivered)
	wasReset := wrapResult("Data", report.Inconclusive, report.PeerReset)
	for _, c := range []struct {
		r       report.Result
		outcome report.KernelOutcome
		says    string
	}{
		{passed, report.KernelStalled, says}, {passed, report.KernelDied, says}, {passed, report.KernelUndecided, says},
		{passed, report.KernelUnharmed, "m; k"}, {passed, report.KernelAlike, "m; k"},
		{wasReset, report.KernelDied, "m; k"}, {wasReset, report.KernelStalled, "m; k"},
	} {
		got := WithKernel(c.r, report.KernelConnections{Outcome: c.outcome, Message: "k", StallMillis: 7}, "Push", 1e-3)
		if got.Verdict != c.r.Verdict || got.Reason != c.r.Reason || got.Message != c.says || got.Alpha != 0 ||
			got.StallMillis != 0 {
			t.Errorf("%s beside %s: %+v", c.r.Reason, c.outcome, got)
		}
	}
}

func TestEstablished(t *testing.T) {
	for _, c := range []struct {
		r    report.Result
		want bool
	}{
		{report.Result{Scenario: "Handshake", Verdict: report.Pass}, true},
		{report.Result{Scenario: "Handshake", Verdict: report.Fail}, false},
		{wrapResult("Push", report.Pass, report.Delivered), true},
		{wrapResult("Push", report.Fail, report.SequenceZeroDropped), true},
		{wrapResult("Push", report.Inconclusive, report.PathLossy), false},
		{wrapResult("Null", report.Pass, report.Delivered), false}, // to a closed port
	} {
		if got := Established([]report.Result{c.r}); got != c.want {
			t.Errorf("%+v: %v", c.r, got)
		}
	}
}
