// Package report defines the document that a run produces, and its short form for a pod's termination message. Both
// have a version. The resource's status uses the same words.
package report

import (
	"cmp"
	"slices"
)

// Verdict is Pass, Fail or Inconclusive. A result that could not be established is Inconclusive and not Fail.
type Verdict string

// The three verdicts.
const (
	Pass         Verdict = "Pass"
	Fail         Verdict = "Fail"
	Inconclusive Verdict = "Inconclusive"
)

// bySeverity has the verdicts from the least to the most severe. "" means no verdict and is the least.
var bySeverity = []Verdict{"", Pass, Inconclusive, Fail}

// severity returns the position in bySeverity, or -1 for a word that is not a verdict.
func (v Verdict) severity() int { return slices.Index(bySeverity, v) }

// known reports whether v is a verdict.
func (v Verdict) known() bool { return v.severity() >= Pass.severity() }

// Compare returns a positive number if v is worse than w.
func (v Verdict) Compare(w Verdict) int { return cmp.Compare(v.severity(), w.severity()) }

// Worst returns the worst of the verdicts, or "" if there are none.
func Worst(all ...Verdict) Verdict {
	var worst Verdict
	for _, v := range all {
		if v.Compare(worst) > 0 {
			worst = v
		}
	}
	return worst
}

// Reason is one CamelCase word that says why a verdict was reached. Readers must accept unknown reasons.
type Reason string
