package verdict

import (
	"strings"
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
		{"with URG, and another passed", []report.Result{wrapResult("Data", report.Pass, report.Delivered), urgent},
			report.KernelStalled, "UrgentPush"},
		{"answers at 0", []report.Result{wrapResult("Push", report.Fail, report.AckZeroDropped)}, report.KernelStalled, ""},
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

// Why kernel connections get through where a fault at 0 is found.
func TestUnharmedBesideAFault(t *testing.T) {
	for _, c := range []struct {
		reason report.Reason
		stamps bool
		says   string
	}{
		{report.SequenceZeroDelayed, true, ": a delay below the retransmission timeout does them no harm"},
		{report.SequenceZeroDroppedBySize, true, ", whose segments may have other lengths"},
		{report.SequenceZeroDroppedByOptions, true, ", whose segments carry the option"},
		{report.SequenceZeroDroppedByOptions, false, ", whose segments do not carry the option"},
		{report.SequenceZeroDropped, true,
			": engine and kernel disagree, so flags, size, options, order or time decides"},
	} {
		k := report.KernelConnections{Outcome: report.KernelUnharmed, Message: "k", Timestamps: c.stamps}
		if got := WithKernel(wrapResult("Push", report.Fail, c.reason), k, "", 1e-3).Message; got != "m; yet k"+c.says {
			t.Errorf("%s: %s", c.reason, got)
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

// Crafted segments that reached 0 and showed no more decide nothing. Kernel connections do, if those are harmed that
// cross 0 and no others. Where crafted ones did not get as far, they do not.
func TestWithKernelWhereCraftedOnesDecideNothing(t *testing.T) {
	const says = ": k; the crafted segments decide nothing by themselves: m"
	for _, why := range []report.Reason{report.NoProofOfLife, report.NotIsolated, report.PathLossy, report.PathDown} {
		for outcome, reason := range map[report.KernelOutcome]report.Reason{
			report.KernelStalled: report.SequenceZeroStalled, report.KernelDied: report.SequenceZeroDied,
			report.KernelUndecided: why, report.KernelAlike: why, report.KernelUnharmed: why,
		} {
			words, want := says, report.Fail
			if why == report.PathLossy || why == report.PathDown {
				reason = why
			}
			if reason == why {
				words, want = "m; k", report.Inconclusive
			}
			r := wrapResult("Push", report.Inconclusive, why)
			got := WithKernel(r, report.KernelConnections{Outcome: outcome, Message: "k"}, "", 1e-3)
			if got.Verdict != want || got.Reason != reason || !strings.HasSuffix(got.Message, words) ||
				(got.Alpha > 0) != (want == report.Fail) {
				t.Errorf("%s beside %s: %+v", why, outcome, got)
			}
		}
	}
}
