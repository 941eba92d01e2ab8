// Package report is the versioned document that a run produces, and the short form of it that fits
// into a pod's termination message. Its words are those a user reads in the resource's status.
package report

import (
	"cmp"
	"slices"
)

// Verdict is Pass, Fail or Inconclusive. What could not be established is not a failure.
type Verdict string

// The three verdicts.
const (
	Pass         Verdict = "Pass"
	Fail         Verdict = "Fail"
	Inconclusive Verdict = "Inconclusive"
)

// bySeverity has the verdicts from the least to the worst. No verdict at all is less than any.
var bySeverity = []Verdict{"", Pass, Inconclusive, Fail}

// severity is the verdict's position in bySeverity, -1 for a word that is no verdict.
func (v Verdict) severity() int { return slices.Index(bySeverity, v) }

// known reports whether v is a verdict.
func (v Verdict) known() bool { return v.severity() >= Pass.severity() }

// Compare is positive where v is worse than w.
func (v Verdict) Compare(w Verdict) int { return cmp.Compare(v.severity(), w.severity()) }

// Worst is the worst of the verdicts, "" of none.
func Worst(all ...Verdict) Verdict {
	var worst Verdict
	for _, v := range all {
		if v.Compare(worst) > 0 {
			worst = v
		}
	}
	return worst
}

// Reason says why a verdict was reached, in one CamelCase word. Readers must accept unknown ones.
type Reason string
