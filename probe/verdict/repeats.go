package verdict

import (
	"fmt"
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Repeats counts source ports that were asked once more, by what they gave first and then. Only answers with a verdict
// count.
type Repeats struct {
	Failed Count // ports of flows that failed: asked, and failed again
	Passed Count // ports of flows that passed: asked, and failed this time
}

// PassedAgain is how often ports that passed are asked again. That is quick, so it is often: two failed ones against
// all of these are enough.
const PassedAgain = 12

// FailedAgain is how often ports that failed are asked again if there are so many of them.
func FailedAgain(ports int) int { return min(max(ports, 3), 5) }

// byPortAlpha bounds the error of the conclusion that the port decides.
const byPortAlpha = 0.02

// Add counts one more answer of a port.
func (r *Repeats) Add(first, then report.Verdict) {
	c := &r.Passed
	if first == report.Fail {
		c = &r.Failed
	}
	if then == report.Inconclusive {
		return
	}
	c.Sent++
	if then == report.Fail {
		c.Lost++
	}
}

// Differ reports whether a port gave another answer than before.
func (r Repeats) Differ() bool { return r.Failed.Lost < r.Failed.Sent || r.Passed.Lost > 0 }

// ByPort reports whether each port gave the same answer again, so often that it is not by chance.
func (r Repeats) ByPort() bool {
	return !r.Differ() && Fisher(r.Failed.Lost, r.Failed.Sent, r.Passed.Lost, r.Passed.Sent) <= byPortAlpha
}

// LengthTried is the shortest and the longest suspect of a flow, in bytes of data, and whether the flow failed.
type LengthTried struct {
	Least, Most int
	Failed      bool
}

// byLengthAlpha bounds the error of the conclusion that the length decides.
const byLengthAlpha = 0.01

// length says which lengths are lost if that separates the flows that failed from the others, beyond chance.
func (s Spread) length() string {
	failed, passed := lengthsOf(s.Lengths, true), lengthsOf(s.Lengths, false)
	if failed.n == 0 || passed.n == 0 ||
		2*math.Exp(-logChoose(failed.n+passed.n, failed.n)) > byLengthAlpha {
		return ""
	}
	switch {
	case failed.least > passed.most:
		return fmt.Sprintf("all with %d bytes or more, none with %d or fewer", failed.least, passed.most)
	case failed.most < passed.least:
		return fmt.Sprintf("all with %d bytes or fewer, none with %d or more", failed.most, passed.least)
	}
	return ""
}

// lengthRange is the range of the lengths in a number of flows.
type lengthRange struct{ n, least, most int }

func lengthsOf(all []LengthTried, failed bool) lengthRange {
	r := lengthRange{least: math.MaxInt}
	for _, l := range all {
		if l.Failed == failed {
			r.n, r.least, r.most = r.n+1, min(r.least, l.Least), max(r.most, l.Most)
		}
	}
	return r
}
