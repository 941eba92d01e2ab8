package verdict

import (
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// NameRule is the one known rule that explains which variants of SequenceWrap are lost towards one target and which
// arrive; nil if none does, or more than one.
func NameRule(reasons map[string]report.Reason) *rule.Rule {
	if !flagsLost(reasons) {
		return nameOther(reasons)
	}
	var found *rule.Rule
	for _, r := range rule.All() {
		switch {
		case !explains(r, reasons), !toldApart(r, reasons):
		case found != nil:
			return nil
		default:
			found = &r
		}
	}
	return found
}

// flagsLost reports whether a variant is lost that shows a rule about flags at 0.
func flagsLost(reasons map[string]report.Reason) bool {
	for _, v := range variant.All() {
		if v.FlagsAtZero() && reasons[v.Name] == report.SequenceZeroDropped {
			return true
		}
	}
	return false
}

// toldApart reports whether a variant is lost that this rule drops and the one that it is like does not.
func toldApart(r rule.Rule, reasons map[string]report.Reason) bool {
	other, alike := rule.Named(r.AsOther)
	if !alike {
		return true
	}
	for _, v := range variant.All() {
		if v.FlagsAtZero() && !other.Flags(v.Flags) && r.Flags(v.Flags) && reasons[v.Name] == report.SequenceZeroDropped {
			return true
		}
	}
	return false
}

// nameOther names rules under which every segment that starts at 0 arrives.
func nameOther(reasons map[string]report.Reason) *rule.Rule {
	if reasons["Straddle"] == report.SequenceZeroDropped {
		r := rule.About(variant.Across)
		return &r
	}
	for _, reason := range reasons {
		if reason == report.AckZeroDropped {
			r := rule.About(variant.Acknowledgment)
			return &r
		}
	}
	return nil
}

// explains reports whether the rule drops exactly the variants that were lost, of those that are decided.
func explains(r rule.Rule, reasons map[string]report.Reason) bool {
	if r.Flags == nil {
		return false
	}
	for _, v := range variant.All() {
		if !v.FlagsAtZero() {
			continue
		}
		switch reasons[v.Name] {
		case report.SequenceZeroDropped:
			if !r.Flags(v.Flags) {
				return false
			}
		case report.Delivered:
			if r.Flags(v.Flags) {
				return false
			}
		case report.SequenceZeroDelayed, report.SequenceZeroFirstDropped, report.SequenceZeroDroppedBySize:
			return false // flags alone do not decide
		}
	}
	return true
}
