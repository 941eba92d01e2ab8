package verdict

import (
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// RuleFit says which rules explain what is lost to one target. The zero value says that no rule of the table does.
type RuleFit struct {
	Rule *rule.Rule // set if no other rule is left, in the table or beside it
	Fits []string   // otherwise the rules of the table that explain it
	Ask  []string   // the fewest variants, not asked so far, that tell them apart
	Open []string   // variants that would tell too, but were asked and not decided
	// NumbersOpen is set if it was not seen that the same arrives at numbers like 0. No rule is the only one left then.
	NumbersOpen bool
}

// FitRules compares the reasons of the variants that were asked with the rules of the table and with the open class
// beside it: rules by other flags, by length, or by both. Only a variant that is lost or arrives excludes a rule.
func FitRules(reasons map[string]report.Reason) RuleFit {
	a := answersOf(reasons)
	switch {
	case notByFlags(reasons):
		return RuleFit{}
	case a.lost == 0:
		return fitOtherNumber(reasons)
	case reasons["Straddle"] == report.SequenceZeroDropped:
		return RuleFit{} // no rule of the table drops both
	}
	var f RuleFit
	var known, all []variantSet
	for _, r := range rule.All() {
		if s := setOf(r.Loses); r.Flags != nil && a.explainedBy(s) {
			f.Rule, f.Fits, known = &r, append(f.Fits, r.Name), append(known, s)
		}
	}
	all = slices.Clone(known)
	for _, s := range unlisted() {
		if a.explainedBy(s) && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) == 1 {
		f.Fits = nil
		return f
	}
	f.Rule = nil
	differences := differencesOf(known, all)
	ask := fewest(differences, a.unasked)
	f.Ask, f.Open = ask.names(), fewest(without(differences, ask), allVariants&^a.unasked).names()
	return f
}

// missed is the probability above which all flows of a variant may have missed the paths on which another one is lost.
const missed = 0.01

// RuleReasons returns what the variants of one target tell about rules. If some paths only are affected, a variant
// whose flows all passed may have taken others: it is then not decided.
func RuleReasons(results []report.Result) map[string]report.Reason {
	low := 1.0 // the least share of affected paths
	for _, r := range results {
		if s := r.Share; s != nil && 0 < s.Failed && s.Failed < s.Of {
			low = min(low, s.Low)
		}
	}
	reasons := map[string]report.Reason{}
	for _, r := range results {
		reasons[r.Variant] = r.Reason
		if r.Reason == report.Delivered && math.Pow(1-low, float64(r.Flows.Pass)) > missed {
			reasons[r.Variant] = report.PathLossy
		}
	}
	return reasons
}

// fitOtherNumber is FitRules if all segments that start at 0 arrive. The open class then has rules that drop whatever
// comes after 0, and rules about the answers.
func fitOtherNumber(reasons map[string]report.Reason) RuleFit {
	_, asked := reasons["Push"]
	ask := []string{"Push"}
	if asked {
		ask = nil
	}
	if reasons["Straddle"] == report.SequenceZeroDropped {
		r := rule.About(variant.Across)
		if reasons["Push"] == report.Delivered {
			return RuleFit{Rule: &r}
		}
		return RuleFit{Fits: []string{r.Name}, Ask: ask}
	}
	found := false
	r := rule.About(variant.Acknowledgment)
	for name, reason := range reasons {
		if reason == report.AckZeroDropped && name != "AckZero" {
			return RuleFit{Rule: &r}
		}
		found = found || reason == report.AckZeroDropped
	}
	if !found {
		return RuleFit{}
	}
	return RuleFit{Fits: []string{r.Name}, Ask: ask} // or the RST at 0 that answers is lost
}

// variantSet is a set of the variants whose loss shows a rule about flags at 0: bit i is for the i-th.
type variantSet uint

var (
	atZero      = slices.DeleteFunc(variant.All(), func(v variant.Variant) bool { return !v.FlagsAtZero() })
	allVariants = setOf(variant.Variant.FlagsAtZero)
)

func setOf(has func(variant.Variant) bool) (s variantSet) {
	for i, v := range atZero {
		if has(v) {
			s |= 1 << i
		}
	}
	return s
}

func (s variantSet) names() (names []string) {
	for i, v := range atZero {
		if s&(1<<i) != 0 {
			names = append(names, v.Name)
		}
	}
	return names
}

// unlisted returns what the rules of the open class lose, each set once.
var unlisted = sync.OnceValue(func() (all []variantSet) {
	for _, loses := range rule.Open() {
		all = append(all, setOf(loses))
	}
	slices.Sort(all)
	return slices.Compact(all)
})

// notByFlags reports whether a variant shows that flags alone do not decide what is lost.
func notByFlags(reasons map[string]report.Reason) bool {
	for _, r := range reasons {
		switch r {
		case report.SequenceZeroDelayed, report.SequenceZeroFirstDropped, report.SequenceZeroDroppedBySize,
			report.SequenceZeroDroppedByOptions, report.NumbersAlikeDropped:
			return true
		}
	}
	return false
}

// answers says which variants are lost, which arrive, and which were not asked.
type answers struct{ lost, arrived, unasked variantSet }

func answersOf(reasons map[string]report.Reason) answers {
	is := func(r report.Reason) variantSet {
		return setOf(func(v variant.Variant) bool { return reasons[v.Name] == r })
	}
	return answers{is(report.SequenceZeroDropped), is(report.Delivered), is("")}
}

// explainedBy reports whether a rule that loses these variants agrees with all answers.
func (a answers) explainedBy(s variantSet) bool { return s&a.lost == a.lost && s&a.arrived == 0 }

// differencesOf returns, for each known rule and each other one, the variants that only one of them loses.
func differencesOf(known, all []variantSet) (out []variantSet) {
	for _, k := range known {
		for _, other := range all {
			if d := k ^ other; d != 0 && !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// without returns the differences that these variants do not show.
func without(differences []variantSet, these variantSet) (out []variantSet) {
	for _, d := range differences {
		if d&these == 0 {
			out = append(out, d)
		}
	}
	return out
}

// fewest returns the smallest set of these variants that shows every difference that they can show. Of several it
// returns that of the first variants.
func fewest(differences []variantSet, these variantSet) variantSet {
	best := these
	for s := range allVariants { // all of them are never fewer than these
		if s&^these == 0 && bits.OnesCount(uint(s)) < bits.OnesCount(uint(best)) && s.shows(differences, these) {
			best = s
		}
	}
	return best
}

// shows reports whether the set shows every difference that these variants show.
func (s variantSet) shows(differences []variantSet, these variantSet) bool {
	for _, d := range differences {
		if d&these != 0 && d&s == 0 {
			return false
		}
	}
	return true
}
