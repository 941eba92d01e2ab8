package report

import "fmt"

// unfinished reports whether the time was over, or the prober was stopped or killed, before there was a verdict.
func (r Result) unfinished() bool {
	return r.Verdict == Inconclusive && (r.Reason == DeadlineExceeded || r.Reason == ProberKilled)
}

// CountUnfinished sets Unfinished.
func (r *Report) CountUnfinished() {
	r.Unfinished = 0
	for _, res := range r.Results {
		if res.unfinished() {
			r.Unfinished++
		}
	}
}

// unfinishedLine says how much was not finished and why: "not finished: 9 of 14 checks; the prober was told to stop …".
// It is empty if all was.
func (r Report) unfinishedLine() string {
	r.CountUnfinished()
	for _, res := range r.Results {
		if res.unfinished() {
			return printable(fmt.Sprintf("not finished: %d of %d checks; %s", r.Unfinished, len(r.Results), res.Message))
		}
	}
	return ""
}

// begun reports whether r has more to say than the line about all that was not finished.
func (r Result) begun() bool { return !r.unfinished() || r.Flows.Tried > 0 }
