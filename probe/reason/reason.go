// Package reason is the table of the reasons that a prober gives for a verdict. The constants of package report and the
// documents are generated from it; those of the operator are in package v1alpha1.
package reason

import "slices"

// Verdicts that reasons belong to.
const (
	Pass         = "Pass"
	Fail         = "Fail"
	Inconclusive = "Inconclusive"
)

// Reason is one of them.
type Reason struct {
	Name     string
	Verdict  string
	Brief    string // one sentence, beside its constant
	Meanings []Meaning
}

// Meaning is what a reason says in one scenario.
type Meaning struct {
	Scenario string // empty: in each that has no meaning of its own
	Means    string
	Do       string // empty: nothing has to be done
}

// All returns the reasons in the order in which they are documented.
func All() []Reason { return slices.Clone(table) }

// In is what the reason says in that scenario; ok is false where it has no meaning of its own there.
func (r Reason) In(scenario string) (m Meaning, ok bool) {
	i := slices.IndexFunc(r.Meanings, func(m Meaning) bool { return m.Scenario == scenario })
	if i < 0 {
		return Meaning{}, false
	}
	return r.Meanings[i], true
}
