package verdict

import (
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// KnownRule is a rule about sequence number 0 that devices have been seen to apply, or that is the simplest of its kind.
type KnownRule struct {
	Name string // as in a report
	lost func(at segment.Flags) bool
}

// suspectFlags are the flags that a variant of SequenceWrap puts at sequence number 0. Variants that put nothing there, or
// whose loss is not seen for certain, are not in it.
var suspectFlags = map[string]segment.Flags{
	"Push": segment.PSH | segment.ACK, "UrgentPush": segment.URG | segment.PSH | segment.ACK, "Data": segment.ACK,
	"Fin": segment.FIN | segment.ACK, "PushFin": segment.PSH | segment.FIN | segment.ACK, "Ack": segment.ACK,
	"Reset": segment.RST | segment.ACK, "Syn": segment.SYN, "FinUrgPush": finUrgPush, "Null": 0,
}

const finUrgPush = segment.FIN | segment.URG | segment.PSH

// knownRules is the catalogue; report.KnownFrom has what devices they are known from.
var knownRules = []KnownRule{
	{"AnyOfFinUrgPushAtZero", anyOf(finUrgPush)},
	{"AnyOfFinPushRstAtZero", anyOf(segment.FIN | segment.PSH | segment.RST)},
	{"FinUrgPushTogetherAtZero", func(f segment.Flags) bool { return f.Has(finUrgPush) }},
	{"NoFlagsAtZero", func(f segment.Flags) bool { return f == 0 }},
	{"NoFlagsOrFinUrgPushAtZero", func(f segment.Flags) bool { return f == 0 || f.Has(finUrgPush) }},
	{"AnyFlagsAtZero", func(f segment.Flags) bool { return f != 0 }},
	{"EverythingAtZero", func(segment.Flags) bool { return true }},
	{"PushAtZero", anyOf(segment.PSH)},
	{"FinAtZero", anyOf(segment.FIN)},
	{"UrgAtZero", anyOf(segment.URG)},
	{"RstAtZero", anyOf(segment.RST)},
	{"SynAtZero", anyOf(segment.SYN)},
	{"AckAloneAtZero", func(f segment.Flags) bool { return f == segment.ACK }},
}

// Explain adds the rule, and what is known of it, to a message.
func (k *KnownRule) Explain(message string) string {
	message += "; the rule is " + k.Name
	if devices := report.KnownFrom(k.Name); devices != "" {
		message += ", known from " + devices
	}
	return message
}

func anyOf(flags segment.Flags) func(segment.Flags) bool {
	return func(f segment.Flags) bool { return f&flags != 0 }
}

// Rules about other numbers than that of a segment's first byte.
var (
	straddlingZero = KnownRule{Name: "StraddlingZero"}
	ackNumberZero  = KnownRule{Name: "AckNumberZero"}
)

// unseen is the rule that differs from AnyFlagsAtZero in segments without flags alone. Where it works in both
// directions nobody can tell them apart: a host answers such a segment with an RST at 0 or not at all.
const unseen = "EverythingAtZero"

// NameRule is the one known rule that explains which variants of SequenceWrap are lost towards one target and which
// arrive; nil if none does, or more than one.
func NameRule(reasons map[string]report.Reason) *KnownRule {
	var found *KnownRule
	lost := 0
	for variant, r := range reasons {
		if _, plain := suspectFlags[variant]; plain && r == report.SequenceZeroDropped {
			lost++
		}
	}
	if lost == 0 {
		return nameOther(reasons)
	}
	for i := range knownRules {
		k := &knownRules[i]
		switch {
		case !k.explains(reasons), k.Name == unseen && reasons["Null"] != report.SequenceZeroDropped:
		case found != nil:
			return nil
		default:
			found = k
		}
	}
	return found
}

// nameOther names rules under which every segment that starts at 0 arrives.
func nameOther(reasons map[string]report.Reason) *KnownRule {
	if reasons["Straddle"] == report.SequenceZeroDropped {
		return &straddlingZero
	}
	for _, r := range reasons {
		if r == report.AckZeroDropped {
			return &ackNumberZero
		}
	}
	return nil
}

// explains reports whether the rule loses exactly the variants that were lost, of those that are decided.
func (k *KnownRule) explains(reasons map[string]report.Reason) bool {
	for variant, flags := range suspectFlags {
		switch reasons[variant] {
		case report.SequenceZeroDropped:
			if !k.lost(flags) {
				return false
			}
		case report.Delivered:
			if k.lost(flags) {
				return false
			}
		}
	}
	return true
}
