package verdict

import (
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// aboutKernel reports whether kernel connections ask the same as a variant: data in a connection whose numbers cross 0.
func aboutKernel(name string) bool {
	v, known := variant.Named(name)
	return known && v.Data && v.Where == variant.Crossing
}

// across reports whether the variant's suspect begins before 0 and ends after it.
func across(name string) bool {
	v, _ := variant.Named(name)
	return v.Zero == variant.Across
}

// AsksKernel reports whether a result is one that kernel connections confirm or contradict.
func AsksKernel(r report.Result) bool { return r.Scenario == "SequenceWrap" && aboutKernel(r.Variant) }

// Unsettled reports whether kernel connections may turn a result to Fail: one that passed, or one whose crafted
// connections got as far as 0 and showed no more. Kernel connections show whether those that do not cross 0 suffer
// alike.
func Unsettled(r report.Result) bool {
	return AsksKernel(r) && (r.Verdict == report.Pass || slices.Contains(reachedZero, r.Reason))
}

// reachedZero are the reasons of Inconclusive that say so: what is before 0 was acknowledged.
var reachedZero = []report.Reason{report.PeerReset, report.NoProofOfLife, report.NotIsolated, report.LossUnexplained}

// Explains is the first variant among a target's results whose Fail explains that kernel connections suffer such harm
// at 0; "" if there is none. Kernel connections have PSH there but neither URG nor a FIN, so a variant with these
// explains nothing where Push passed.
func Explains(all []report.Result, harm report.KernelOutcome) string {
	pushed := slices.ContainsFunc(all, func(r report.Result) bool {
		return r.Scenario == "SequenceWrap" && r.Variant == variant.Default().Name && r.Verdict == report.Pass
	})
	for _, r := range all {
		v, _ := variant.Named(r.Variant)
		switch {
		case !AsksKernel(r) || r.Verdict != report.Fail || !metAtZero(r.Reason):
		case r.Reason == report.SequenceZeroDelayed && harm == report.KernelDied:
		case pushed && v.Flags&(variant.URG|variant.FIN) != 0:
		default:
			return r.Variant
		}
	}
	return ""
}

// metAtZero reports whether the reason names a fault at 0 that crafted segments met.
func metAtZero(r report.Reason) bool {
	return r == report.ResetAtZero || r == report.NumbersAlikeDropped || strings.HasPrefix(string(r), "SequenceZero") ||
		strings.HasPrefix(string(r), "Wrap")
}

// Established reports whether crafted connections of a target's results were.
func Established(all []report.Result) bool {
	return slices.ContainsFunc(all, func(r report.Result) bool {
		passed := r.Verdict == report.Pass && r.Scenario == "Handshake"
		return passed || AsksKernel(r) && (r.Verdict == report.Pass || metAtZero(r.Reason))
	})
}

// WithKernel is a result of SequenceWrap beside what kernel connections showed: no Pass stands against them unless
// another variant explains their harm, and no Fail without a word about them. alpha is the error that the run states.
func WithKernel(r report.Result, k report.KernelConnections, explains string, alpha float64) report.Result {
	if !AsksKernel(r) {
		return r
	}
	harm := k.Outcome == report.KernelStalled || k.Outcome == report.KernelDied
	if r.Verdict != report.Pass && !(harm && explains == "" && Unsettled(r)) {
		return besideFailure(r, k)
	}
	if explains != "" && (harm || k.Outcome == report.KernelUndecided) {
		r.Message += "; this host's own connections that cross 0 suffer what SequenceWrap/" + explains + " shows: " +
			k.Message
		return r
	}
	switch k.Outcome {
	case report.KernelNotAsked:
		r.Message += "; not confirmed by a kernel connection: " + k.Message
	case report.KernelUnharmed, report.KernelAlike:
		r.Message += "; " + k.Message
	case report.KernelUndecided:
		r.Verdict, r.Reason = report.Inconclusive, report.KernelDisagrees
		r.Message += ", but " + k.Message + ", which confirms nothing"
	case report.KernelStalled:
		r.Message = "connections stall where their data crosses 0: " + k.Message + decides(r, k, alpha)
		r.Verdict, r.Reason, r.Alpha = report.Fail, report.SequenceZeroStalled, alpha
		r.StallMillis = max(r.StallMillis, k.StallMillis)
	case report.KernelDied:
		r.Message = "connections end where their data crosses 0: " + k.Message + decides(r, k, alpha)
		r.Verdict, r.Reason, r.Alpha = report.Fail, report.SequenceZeroDied, alpha
	}
	return r
}

// besideFailure adds what kernel connections showed to a result that did not pass.
func besideFailure(r report.Result, k report.KernelConnections) report.Result {
	zero := metAtZero(r.Reason)
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
	case across(r.Variant) && sizeOf(k, report.SizeAcross).Crossing.Told() == 0:
		return ", each with a segment that begins there"
	}
	return ": engine and kernel disagree, so flags, size, options, order or time decides"
}
