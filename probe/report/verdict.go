// Package report is the versioned document that a run produces, and the short form of it that fits
// into a pod's termination message. Its words are those a user reads in the resource's status.
package report

// Verdict is Pass, Fail or Inconclusive. What could not be established is not a failure.
type Verdict string

// The three verdicts.
const (
	Pass         Verdict = "Pass"
	Fail         Verdict = "Fail"
	Inconclusive Verdict = "Inconclusive"
)

// Reason says why a verdict was reached, in one CamelCase word. Readers must accept unknown ones.
type Reason string
