// Package reason has the table of the reasons that the prober may give for a verdict. The constants of package report
// and the documentation are generated from it. The operator's own reasons are in package v1alpha1.
package reason

import "slices"

// Verdicts of reasons.
const (
	Pass         = "Pass"
	Fail         = "Fail"
	Inconclusive = "Inconclusive"
)

// Reason is an entry of the table.
type Reason struct {
	Name     string
	Verdict  string
	Brief    string // one sentence, for the comment of its constant
	Meanings []Meaning
}

// Meaning says what a reason means in one scenario.
type Meaning struct {
	Scenario string // empty: for all scenarios without an entry of their own
	Means    string
	Do       string // empty: no action is needed
}

// All returns the reasons in the order of the documentation.
func All() []Reason { return slices.Clone(table) }

// In returns what the reason means in that scenario. ok is false if the scenario has no entry of its own.
func (r Reason) In(scenario string) (m Meaning, ok bool) {
	i := slices.IndexFunc(r.Meanings, func(m Meaning) bool { return m.Scenario == scenario })
	if i < 0 {
		return Meaning{}, false
	}
	return r.Meanings[i], true
}
