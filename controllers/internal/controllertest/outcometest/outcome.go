package outcometest

import (
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// From are the outcomes of a run in which every source reported. change has, by source, what changes its results.
func From(rp *runplan.RunPlan, change map[string]controllertest.Change) []probepod.Outcome {
	var out []probepod.Outcome
	for _, node := range rp.Nodes() {
		r := controllertest.Passing(&rp.Plan, node)
		for i := range r.Results {
			if c := change[node]; c != nil {
				c(&r.Results[i])
			}
		}
		out = append(out, Decode(rp, node, report.Summarize(r, &rp.Plan).Encode()))
	}
	return out
}

// Decode is the outcome of a source whose container ended with this termination message.
func Decode(rp *runplan.RunPlan, node string, message []byte) probepod.Outcome {
	s, err := report.DecodeSummary(message, &rp.Plan, node)
	if err != nil {
		panic(err)
	}
	return probepod.Outcome{Source: node, State: probepod.Reported, Summary: s, Text: string(message)}
}
