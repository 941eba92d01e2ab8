package verdict

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// kernelSamples are so many of one size and kind.
func kernelSamples(n int, size string, crossing bool, f KernelFate) []KernelSample {
	return slices.Repeat([]KernelSample{{size, crossing, f, 0}}, n)
}

// screening is one that crosses 0 and one control of each size; fates are those of the sizes that cross 0.
func screening(fates map[string]KernelFate, took time.Duration) (e KernelEvidence) {
	for _, size := range []string{"1", "3", "MSS"} {
		e.Sizes = append(e.Sizes, size)
		e.Samples = append(e.Samples, KernelSample{size, false, KernelUnharmed, 10 * time.Millisecond})
		if f, harmed := fates[size]; harmed {
			e.Samples = append(e.Samples, KernelSample{size, true, f, took})
		} else {
			e.Samples = append(e.Samples, KernelSample{size, true, KernelUnharmed, 10 * time.Millisecond})
		}
	}
	return e
}

// kernelAlpha is the error of the blocks below.
const kernelAlpha = 1e-5

// confirmed adds a block of 3 bytes of which such shares were harmed.
func (e KernelEvidence) confirmed(crossing, control float64) KernelEvidence {
	const size = "3"
	b := e.Block(kernelAlpha)
	of := func(share float64) int { return int(share * float64(b.Each)) }
	all := slices.Concat(kernelSamples(of(crossing), size, true, KernelStalled),
		kernelSamples(b.Each-of(crossing), size, true, KernelUnharmed),
		kernelSamples(of(control), size, false, KernelStalled),
		kernelSamples(b.Each-of(control), size, false, KernelUnharmed))
	for _, s := range all {
		b.Add(s)
	}
	e.Samples, e.Blocks = append(e.Samples, all...), append(e.Blocks, b)
	return e
}

// kernelCase is what connections showed, and what is to be said of it.
type kernelCase struct {
	name  string
	e     KernelEvidence
	want  report.KernelOutcome
	stall int64
	says  string
}

func (c kernelCase) check(t *testing.T) {
	t.Helper()
	k := Kernel(c.e)
	if k.Outcome != c.want || k.StallMillis != c.stall || !strings.Contains(k.Message, c.says) {
		t.Errorf("%s: %s, %d ms, %s", c.name, k.Outcome, k.StallMillis, k.Message)
	}
	alpha := 0.0
	if strings.Contains(c.name, "convict") {
		alpha = c.e.Blocks[len(c.e.Blocks)-1].Alpha
	}
	if k.Alpha != alpha {
		t.Errorf("%s: alpha %g, want %g", c.name, k.Alpha, alpha)
	}
}

// What the first few connections show.
func TestKernelScreened(t *testing.T) {
	died := screening(map[string]KernelFate{"1": KernelDied, "3": KernelDied, "MSS": KernelDied}, 0)
	silent := screening(map[string]KernelFate{"1": KernelSilent, "3": KernelSilent, "MSS": KernelSilent}, 5*time.Second)
	for _, c := range []kernelCase{
		{"nothing odd", screening(nil, 0), report.KernelUnharmed, 0,
			"3 kernel connections crossed 0 unharmed (1, 3 and MSS bytes)"},
		{"refused", KernelEvidence{NotAsked: "not permitted"}, report.KernelNotAsked, 0, "not permitted"},
		{"void", KernelEvidence{Sizes: []string{"1"}, Samples: kernelSamples(1, "1", true, KernelVoid)},
			report.KernelNotAsked, 0, "none of them"},
		{"only the control tells", KernelEvidence{Sizes: []string{"1"}, Samples: slices.Concat(
			kernelSamples(1, "1", true, KernelVoid), kernelSamples(1, "1", false, KernelUnharmed))},
			report.KernelNotAsked, 0, "none of them"},
		{"one, and one control", KernelEvidence{Sizes: []string{"1"}, Samples: slices.Concat(
			kernelSamples(1, "1", true, KernelUnharmed), kernelSamples(1, "1", false, KernelUnharmed))},
			report.KernelUnharmed, 0, "1 kernel connections crossed 0 unharmed (1 bytes)"},
		{"no control", KernelEvidence{Sizes: []string{"1"}, Samples: kernelSamples(1, "1", true, KernelDied)},
			report.KernelNotAsked, 0, "none of them"},
		{"all died", died, report.KernelDied, 0, "3 of 3 kernel connections that cross 0 die, 0 of 3 others"},
		{"all silent", silent, report.KernelStalled, 4990, "3 of 3 kernel connections that cross 0 stand still"},
		{"as many died as stalled", screening(map[string]KernelFate{"1": KernelDied, "3": KernelStalled}, 0),
			report.KernelStalled, 0, "2 of 2 kernel connections of 1 and 3 bytes that cross 0 stall, 0 of 2"},
		{"none gets through, untested", KernelEvidence{Sizes: []string{"1"}, Samples: slices.Concat(
			kernelSamples(5, "1", true, KernelSilent), kernelSamples(5, "1", false, KernelSilent))}, report.KernelAlike, 0,
			"5 of 5 kernel connections that cross 0 stand still, 5 of 5 others as well: that harm is not a matter of 0"},
		{"one of each, none gets through", KernelEvidence{Sizes: []string{"1"}, Samples: slices.Concat(
			kernelSamples(1, "1", true, KernelSilent), kernelSamples(1, "1", false, KernelSilent))}, report.KernelAlike, 0,
			"1 of 1 kernel connections that cross 0 stand still, 1 of 1 others as well"},
		{"none gets through, cut", KernelEvidence{Sizes: []string{"1"}, Cut: true, Samples: slices.Concat(
			kernelSamples(5, "1", true, KernelSilent), kernelSamples(5, "1", false, KernelSilent))}, report.KernelAlike, 0,
			"not a matter of 0"},
		{"a control of another size", KernelEvidence{Sizes: []string{"1", "3"}, Samples: slices.Concat(
			kernelSamples(1, "1", true, KernelSilent), kernelSamples(1, "1", false, KernelUnharmed),
			kernelSamples(1, "3", true, KernelUnharmed), kernelSamples(1, "3", false, KernelSilent))},
			report.KernelStalled, 0, "1 of 1 kernel connections of 1 bytes that cross 0 stand still, 0 of 1 others"},
		{"a size of which none tells", KernelEvidence{Sizes: []string{"1", "3"}, Samples: slices.Concat(
			kernelSamples(1, "1", true, KernelUnharmed), kernelSamples(1, "1", false, KernelUnharmed),
			kernelSamples(1, "3", true, KernelVoid), kernelSamples(1, "3", false, KernelUnharmed))},
			report.KernelUnharmed, 0, "1 kernel connections crossed 0 unharmed (1 bytes)"},
	} {
		c.check(t)
	}
}

// What blocks of more connections show of a size that was harmed.
func TestKernelTested(t *testing.T) {
	stalled := screening(map[string]KernelFate{"3": KernelStalled}, 210*time.Millisecond)
	for _, c := range []kernelCase{
		{"untested", stalled, report.KernelStalled, 200,
			"1 of 1 kernel connections of 3 bytes that cross 0 stall 200 ms, 0 of 1"},
		{"convicted", stalled.confirmed(1, 0), report.KernelStalled, 200, "stall 200 ms, 0 of"},
		{"convicted but for one", stalled.confirmed(0.95, 0), report.KernelStalled, 200, "stall 200 ms"},
		{"half", stalled.confirmed(0.5, 0), report.KernelUndecided, 200, "stall"},
		{"as others", stalled.confirmed(0.2, 0.2), report.KernelAlike, 0, "others as well: that harm is not a matter of 0"},
		{"one of many", stalled.confirmed(0.1, 0), report.KernelUnharmed, 200, "chance is not excluded"},
		{"none gets through", stalled.confirmed(1, 1), report.KernelAlike, 0, "not a matter of 0"},
		{"the second block convicts", stalled.confirmed(0.5, 0).confirmed(0.4, 0), report.KernelStalled, 200, "stall"},
		{"the third block convicts", stalled.confirmed(0.5, 0).confirmed(0.2, 0).confirmed(0.4, 0),
			report.KernelStalled, 200, "stall"},
		{"a tenth of many, others too", stalled.confirmed(0.5, 0).confirmed(0.1, 0.1), report.KernelAlike, 0,
			"not a matter of 0"},
		{"a seventh of many", stalled.confirmed(0.5, 0).confirmed(0.15, 0), report.KernelUndecided, 200, "stall"},
		{"cut", KernelEvidence{Sizes: stalled.Sizes, Samples: stalled.Samples, Cut: true}, report.KernelUndecided, 200,
			"stall"},
	} {
		c.check(t)
	}
}

func TestHarmedSizes(t *testing.T) {
	e := screening(map[string]KernelFate{"MSS": KernelDied, "1": KernelVoid}, 0)
	e.Samples = append(e.Samples, KernelSample{"3", false, KernelStalled, 0})
	if got := HarmedSizes(e.Samples); !slices.Equal(got, []string{"MSS"}) {
		t.Errorf("%v", got)
	}
}

func TestWithKernel(t *testing.T) {
	pass := report.Result{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Pass, Reason: report.Delivered,
		Message: "m"}
	fail, lossy, straddle, late := pass, pass, pass, pass
	fail.Verdict, fail.Reason = report.Fail, report.SequenceZeroDropped
	straddle.Variant, straddle.Verdict, straddle.Reason = "Straddle", report.Fail, report.SequenceZeroDropped
	lossy.Verdict, lossy.Reason = report.Inconclusive, report.PathLossy
	late.Verdict, late.Reason = report.Fail, report.SequenceZeroDelayed
	first, bySize, reset := late, late, lossy
	reset.Reason = report.PeerReset
	wrap, window := fail, straddle
	wrap.Reason, window.Reason = report.WrapDropped, report.WrapWindowDropped
	first.Reason, bySize.Reason = report.SequenceZeroFirstDropped, report.SequenceZeroDroppedBySize
	for _, c := range []struct {
		r       report.Result
		outcome report.KernelOutcome
		verdict report.Verdict
		reason  report.Reason
		says    string
	}{
		{pass, report.KernelUnharmed, report.Pass, report.Delivered, "m; k"},
		{pass, report.KernelNotAsked, report.Pass, report.Delivered, "m; not confirmed by a kernel connection: k"},
		{pass, report.KernelUndecided, report.Inconclusive, report.KernelDisagrees, "m, but k, which confirms nothing"},
		{pass, report.KernelStalled, report.Fail, report.SequenceZeroStalled, "stall where their data crosses 0: k"},
		{pass, report.KernelDied, report.Fail, report.SequenceZeroDied, "end where their data crosses 0: k"},
		{pass, report.KernelAlike, report.Pass, report.Delivered, "m; k"},
		{fail, report.KernelAlike, report.Fail, report.SequenceZeroDropped, "m; k"},
		{reset, report.KernelAlike, report.Inconclusive, report.PeerReset, "m; k"},
		{fail, report.KernelUnharmed, report.Fail, report.SequenceZeroDropped, "m; yet k: engine and kernel disagree"},
		{straddle, report.KernelUnharmed, report.Fail, report.SequenceZeroDropped, "m; yet k, each with a segment that"},
		{fail, report.KernelNotAsked, report.Fail, report.SequenceZeroDropped, "m; no kernel connection beside it: k"},
		{fail, report.KernelDied, report.Fail, report.SequenceZeroDropped, "m; k"},
		{reset, report.KernelDied, report.Fail, report.SequenceZeroDied, "k; crafted connections were reset there too"},
		{reset, report.KernelUndecided, report.Inconclusive, report.PeerReset, "m; k"},
		{reset, report.KernelUnharmed, report.Inconclusive, report.PeerReset, "m; k"},
		{late, report.KernelUnharmed, report.Fail, late.Reason, "m; yet k: a delay below the retransmission timeout"},
		{late, report.KernelStalled, report.Fail, late.Reason, "m; k"},
		{late, report.KernelUndecided, report.Fail, late.Reason, "m; k"},
		{late, report.KernelNotAsked, report.Fail, late.Reason, "m; no kernel connection beside it: k"},
		{first, report.KernelUnharmed, report.Fail, first.Reason, "m; yet k: engine and kernel disagree"},
		{first, report.KernelStalled, report.Fail, first.Reason, "m; k"},
		{bySize, report.KernelUnharmed, report.Fail, bySize.Reason, "m; yet k, whose segments may have other lengths"},
		{bySize, report.KernelDied, report.Fail, bySize.Reason, "m; k"},
		{wrap, report.KernelNotAsked, report.Fail, wrap.Reason, "m; no kernel connection beside it: k"},
		{wrap, report.KernelDied, report.Fail, wrap.Reason, "m; k"},
		{wrap, report.KernelUnharmed, report.Fail, wrap.Reason, "m; yet k: engine and kernel disagree"},
		{window, report.KernelUnharmed, report.Fail, window.Reason, "m; yet k, each with a segment that begins there"},
		{lossy, report.KernelStalled, report.Inconclusive, report.PathLossy, "m; k"},
		{lossy, report.KernelUnharmed, report.Inconclusive, report.PathLossy, "m; k"},
	} {
		got := WithKernel(c.r, report.KernelConnections{Outcome: c.outcome, Message: "k", StallMillis: 7}, "", 1e-3)
		if got.Verdict != c.verdict || got.Reason != c.reason || !strings.HasPrefix(got.Message, c.says) &&
			!strings.Contains(got.Message, c.says) {
			t.Errorf("%s beside %s: %s / %s: %s", c.r.Reason, c.outcome, got.Verdict, got.Reason, got.Message)
		}
		turned := c.r.Verdict != report.Fail && got.Verdict == report.Fail
		if turned != (got.Alpha == 1e-3) || (got.StallMillis == 7) != (got.Reason == report.SequenceZeroStalled) {
			t.Errorf("%s beside %s: alpha %g, stall %d", c.r.Reason, c.outcome, got.Alpha, got.StallMillis)
		}
	}
}

// Only data that crosses 0 within a connection is asked about.
func TestAsksKernel(t *testing.T) {
	for name, want := range map[string]bool{"Push": true, "UrgentPush": true, "Data": true, "Straddle": true,
		"PushFin": true,
		"Fin":     false, "Null": false, "Syn": false, "": false} {
		if got := AsksKernel(report.Result{Scenario: "SequenceWrap", Variant: name}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if AsksKernel(report.Result{Scenario: "Handshake"}) {
		t.Error("Handshake")
	}
	r := report.Result{Scenario: "Handshake", Verdict: report.Pass}
	if got := WithKernel(r, report.KernelConnections{Outcome: report.KernelDied}, "", 1); got.Verdict != report.Pass {
		t.Errorf("%+v", got)
	}
}
