package truth

import (
	"fmt"
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Agreement is how a verdict and what real connections suffer relate.
type Agreement string

// Agreements.
const (
	Agree        Agreement = "agree"
	Inconclusive Agreement = "inconclusive" // the verdict is, and what connections suffer is decided
	// Pass, where a share is harmed and the run had too few flows to meet it, or where only what comes together is harmed
	Uncovered     Agreement = "uncovered"
	Open          Agreement = "open"          // what connections suffer is not decided
	Contradiction Agreement = "CONTRADICTION" // verdict and connections exclude each other
)

// judgement is a row of the table: what it is, and why.
type judgement struct {
	is  Agreement
	why string
}

// table has the judgement for what connections suffer and the verdict of SequenceWrap. Every Fail is taken to blame 0.
// Where a Fail agrees, what its reason claims must hold as well.
var table = map[State]map[report.Verdict]judgement{
	Unharmed: {
		report.Pass:         {Agree, ""},
		report.Inconclusive: {Inconclusive, "no connection suffers"},
		report.Fail:         {Agree, ""},
	},
	Late: {
		report.Pass:         {Contradiction, "connections take longer where they cross 0, and it passes"},
		report.Inconclusive: {Inconclusive, "no connection suffers"},
		report.Fail:         {Agree, ""},
	},
	AtZero: {
		report.Pass:         {Contradiction, "connections suffer only where they cross 0, and it passes"},
		report.Inconclusive: {Inconclusive, "connections suffer where they cross 0"},
		report.Fail:         {Agree, ""},
	},
	Alike: {
		report.Pass:         {Agree, ""},
		report.Inconclusive: {Agree, ""},
		report.Fail:         {Contradiction, "connections suffer at other numbers alike, and it blames 0"},
	},
	Unopened: {
		report.Pass:         {Contradiction, "no connection is established, and it passes"},
		report.Inconclusive: {Agree, ""},
		report.Fail:         {Contradiction, "no connection is established, and it blames 0"},
	},
	Undecided: {
		report.Pass:         {Open, ""},
		report.Inconclusive: {Open, ""},
		report.Fail:         {Open, ""},
	},
}

// Judge compares a result of SequenceWrap with what connections of one size suffer; all has those of every size.
func Judge(at Suffering, all []*Suffering, r report.Result) (Agreement, string) {
	j := table[at.State()][r.Verdict]
	harmedAtZero := func(s Suffering) bool { return s.State() == AtZero }
	switch {
	case r.Verdict == report.Fail && at.State() == Alike && some(all, harmedAtZero):
		j = judgement{Agree, ""} // unless the reason claims something of this size
	case r.Verdict == report.Pass && at.State() == Alike && at.Control.Unharmed+at.Control.Stalled == 0:
		return Contradiction, "no connection gets through, at any number, and it passes"
	case r.Verdict == report.Pass && at.State() == AtZero && some(all, Suffering.spared):
		return Uncovered, "connections that come together suffer; one that comes alone does not"
	case r.Verdict == report.Pass && j.is == Contradiction && missed(at, r.Flows.Tried) > mayMiss:
		return Uncovered, fmt.Sprintf("%d of %d connections suffer; %d flows may miss that", at.Crossing.Harmed(),
			at.Crossing.Told(), r.Flows.Tried)
	}
	if r.Verdict == report.Fail && j.is == Agree && !known(all) {
		return Open, ""
	}
	if r.Verdict == report.Fail && j.is == Agree {
		if why := claimOf(r.Reason)(at, all, r); why != "" {
			return Contradiction, why
		}
	}
	return j.is, j.why
}

// known reports whether a Fail can be held against what connections suffer: it is known of all sizes, or one suffers at
// 0 for certain.
func known(all []*Suffering) bool {
	atZero := func(s Suffering) bool { return s.State() == AtZero || s.State() == Late }
	undecided := func(s Suffering) bool { return s.State() == Undecided }
	return some(all, atZero) || !some(all, undecided)
}

// mayMiss is the chance from which on a run may have met only what is not harmed.
const mayMiss = 0.01

// missed is the chance that so many flows meet none of the harmed share.
func missed(at Suffering, flows int) float64 {
	if at.State() != AtZero {
		return 0
	}
	return math.Pow(float64(at.Crossing.Unharmed)/float64(at.Crossing.Told()), float64(flows))
}
