package verdict

import (
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// NameRule returns the only known rule that explains which variants of SequenceWrap are lost to one target and which
// arrive. It is nil if no rule does, or more than one.
func NameRule(reasons map[string]report.Reason) *rule.Rule {
	if !flagsLost(reasons) {
		return nameRuleAboutOtherNumber(reasons)
	}
	var found *rule.Rule
	for _, r := range rule.All() {
		switch {
		case !explains(r, reasons), !distinguished(r, reasons):
		case found != nil:
			return nil
		default:
			found = &r
		}
	}
	return found
}

// flagsLost reports whether a lost variant shows a rule about flags at 0.
func flagsLost(reasons map[string]report.Reason) bool {
	for _, v := range variant.All() {
		if v.FlagsAtZero() && reasons[v.Name] == report.SequenceZeroDropped {
			return true
		}
	}
	return false
}

// distinguished reports whether a variant is lost that this rule drops and the rule AsOther does not.
func distinguished(r rule.Rule, reasons map[string]report.Reason) bool {
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

// nameRuleAboutOtherNumber returns the rule if segments that start at 0 all arrive.
func nameRuleAboutOtherNumber(reasons map[string]report.Reason) *rule.Rule {
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

// explains reports whether the rule drops exactly the lost variants among those with a verdict.
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
