package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// round is what the runs of a campaign found under one fault, as `-o json` prints it.
type round struct {
	Fault          string              `json:"fault"`
	Runs           int                 `json:"runs"`
	Verdicts       []verdictCount      `json:"verdicts"`
	Wrong          int                 `json:"wrong"` // verdicts that blame sequence 0 wrongly, or acquit it wrongly
	LeakedFlows    int                 `json:"leakedFlows"`
	Switch         []lab.FaultCounters `json:"switch,omitempty"`
	DurationMicros int64               `json:"durationMicros"`

	suspect, control float64 // the shares of each that the fault drops
}

// verdictCount is how often a verdict was reached.
type verdictCount struct {
	Scenario string         `json:"scenario"`
	Verdict  report.Verdict `json:"verdict"`
	Reason   report.Reason  `json:"reason"`
	Count    int            `json:"count"`
}

func newRound(f lab.Fault) round {
	return round{Fault: f.Name, suspect: f.Loss(pushAt(0), lab.In), control: f.Loss(pushAt(1<<32-1), lab.In)}
}

// pushAt is a byte as SequenceWrap sends it: at 0 the suspect, before it the control.
func pushAt(n uint32) *segment.Segment {
	return &segment.Segment{Seq: seq.At(n), Flags: segment.PSH | segment.ACK, Payload: []byte{'x'}}
}

// add counts a report of so many runs.
func (r *round) add(found report.Report, runs int) {
	r.Runs += runs
	r.LeakedFlows += found.LeakedFlows
	for _, res := range found.Results {
		if r.isWrong(res) {
			r.Wrong++
		}
		key := verdictCount{Scenario: res.Scenario, Verdict: res.Verdict, Reason: res.Reason}
		at, seen := slices.BinarySearchFunc(r.Verdicts, key, compareVerdicts)
		if !seen {
			r.Verdicts = slices.Insert(r.Verdicts, at, key)
		}
		r.Verdicts[at].Count++
	}
}

func compareVerdicts(a, b verdictCount) int {
	return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(a.Reason, b.Reason))
}

// isWrong reports a verdict that is not only inconclusive but false. Where some flows or some packets meet the fault and
// others do not, either may be true.
func (r *round) isWrong(res report.Result) bool {
	switch {
	case r.suspect == r.control:
		return blamesZero(res)
	case r.suspect == 1:
		return res.Scenario == "SequenceWrap" && res.Verdict == report.Pass
	}
	return false
}

// judge is Fail if any round has a wrong verdict.
func judge(rounds []round) error {
	if slices.ContainsFunc(rounds, func(r round) bool { return r.Wrong > 0 }) {
		return verdict(report.Fail)
	}
	return nil
}

func writeRounds(w io.Writer, rounds []round, format string) error {
	if format == asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"rounds": rounds})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FAULT\tRUNS\tSCENARIO\tVERDICT\tREASON\tCOUNT")
	for _, r := range rounds {
		for _, v := range r.Verdicts {
			fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%d\n", r.Fault, r.Runs, v.Scenario, v.Verdict, v.Reason, v.Count)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, r := range rounds {
		took := time.Duration(r.DurationMicros) * time.Microsecond
		_, err := fmt.Fprintf(w, "%s: %d wrong verdicts in %d runs, %d flows leaked, %s\n", r.Fault, r.Wrong, r.Runs, r.LeakedFlows, took.Round(time.Millisecond))
		if err != nil {
			return err
		}
	}
	return nil
}
