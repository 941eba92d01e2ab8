package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// kernelMessage says what became of the connections, in one clause.
func kernelMessage(k report.KernelConnections, notAsked string) string {
	switch crossing, _ := k.Counts(); {
	case notAsked != "":
		return notAsked
	case k.Outcome == report.KernelNotAsked:
		return "none of them got as far as sending data"
	case crossing.Harmed() == 0:
		return fmt.Sprintf("%d kernel connections crossed 0 unharmed (%s bytes)", crossing.Told(), kernelSizeNames(k))
	}
	of, which := k, ""
	of.Sizes = slices.DeleteFunc(slices.Clone(k.Sizes), func(s report.KernelSize) bool { return s.Crossing.Harmed() == 0 })
	if len(of.Sizes) < len(k.Sizes) {
		which = fmt.Sprintf("of %s bytes ", kernelSizeNames(of))
	}
	crossing, control := of.Counts()
	message := fmt.Sprintf("%d of %d kernel connections %sthat cross 0 %s, %d of %d others", crossing.Harmed(),
		crossing.Told(), which, kernelHarm(k, crossing), control.Harmed(), control.Told())
	if k.Outcome == report.KernelUnharmed {
		message += ": chance is not excluded"
	}
	return message
}

// kernelHarm is what happened to those that were harmed: what most of them suffered.
func kernelHarm(k report.KernelConnections, n report.KernelCount) string {
	switch {
	case n.Died > n.Stalled+n.Silent:
		return "die"
	case n.Silent > 0:
		return "stand still"
	case k.StallMillis > 0:
		return fmt.Sprintf("stall %d ms", k.StallMillis)
	}
	return "stall"
}

func kernelSizeNames(k report.KernelConnections) string {
	var names []string
	for _, s := range k.Sizes {
		names = append(names, s.Size)
	}
	return variant.List(names)
}

// aboutKernel reports whether kernel connections ask the same as a variant: data in a connection whose numbers cross 0.
func aboutKernel(name string) bool {
	v, known := variant.Named(name)
	return known && v.Data && v.Where == variant.Crossing
}

// across reports whether the variant's suspect begins before 0, which no kernel connection is asked to do.
func across(name string) bool {
	v, _ := variant.Named(name)
	return v.Zero == variant.Across
}

// AsksKernel reports whether a result is one that kernel connections confirm or contradict.
func AsksKernel(r report.Result) bool { return r.Scenario == "SequenceWrap" && aboutKernel(r.Variant) }

// Unsettled reports whether kernel connections may turn a result to Fail: one that passed, or whose crafted connections
// were reset. Kernel connections show whether the application resets those that do not cross 0 as well.
func Unsettled(r report.Result) bool {
	return AsksKernel(r) && (r.Verdict == report.Pass || r.Reason == report.PeerReset)
}

// crafted says what became of the crafted segments of an unsettled result.
func crafted(r report.Result) string {
	if r.Reason == report.PeerReset {
		return "; crafted connections were reset there too, and the application does not do that at other numbers"
	}
	return "; the crafted segments got through, so flags, size, options, order or time decides"
}

// WithKernel is a result of SequenceWrap beside what kernel connections showed: no Pass stands against them, and no
// Fail without a word about them. alpha is the error that the run states.
func WithKernel(r report.Result, k report.KernelConnections, alpha float64) report.Result {
	if !AsksKernel(r) {
		return r
	}
	harm := k.Outcome == report.KernelStalled || k.Outcome == report.KernelDied
	if r.Verdict != report.Pass && !(harm && Unsettled(r)) {
		return besideFailure(r, k)
	}
	switch k.Outcome {
	case report.KernelNotAsked:
		r.Message += "; not confirmed by a kernel connection: " + k.Message
	case report.KernelUnharmed:
		r.Message += "; " + k.Message
	case report.KernelUndecided:
		r.Verdict, r.Reason = report.Inconclusive, report.KernelDisagrees
		r.Message += ", but " + k.Message + ", which confirms nothing"
	case report.KernelStalled:
		r.Message = "connections stall where their data crosses 0: " + k.Message + crafted(r)
		r.Verdict, r.Reason, r.Alpha = report.Fail, report.SequenceZeroStalled, alpha
		r.StallMillis = max(r.StallMillis, k.StallMillis)
	case report.KernelDied:
		r.Message = "connections end where their data crosses 0: " + k.Message + crafted(r)
		r.Verdict, r.Reason, r.Alpha = report.Fail, report.SequenceZeroDied, alpha
	}
	return r
}

// besideFailure adds what kernel connections showed to a result that did not pass.
func besideFailure(r report.Result, k report.KernelConnections) report.Result {
	zero := strings.HasPrefix(string(r.Reason), "SequenceZero") || strings.HasPrefix(string(r.Reason), "Wrap") ||
		r.Reason == report.ResetAtZero
	switch {
	case k.Outcome == report.KernelNotAsked && zero:
		r.Message += "; no kernel connection beside it: " + k.Message
	case k.Outcome == report.KernelNotAsked:
	case k.Outcome == report.KernelUnharmed && zero:
		r.Message += "; yet " + k.Message + whyUnharmed(r, k)
	default:
		r.Message += "; " + k.Message
	}
	return r
}

// whyUnharmed says why kernel connections may get through although the result names a fault at 0.
func whyUnharmed(r report.Result, k report.KernelConnections) string {
	switch {
	case r.Reason == report.SequenceZeroDelayed:
		return ": a delay below the retransmission timeout does them no harm"
	case r.Reason == report.SequenceZeroDroppedBySize:
		return ", whose segments may have other lengths"
	case r.Reason == report.SequenceZeroDroppedByOptions && k.Timestamps:
		return ", whose segments carry the option"
	case r.Reason == report.SequenceZeroDroppedByOptions:
		return ", whose segments do not carry the option"
	case across(r.Variant):
		return ", each with a segment that begins there"
	}
	return ": engine and kernel disagree, so flags, size, options, order or time decides"
}
