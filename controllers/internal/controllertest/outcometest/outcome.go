package outcometest

import (
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// From are the outcomes of a run in which every source reported, with results changed by source.
func From(f *runplan.RunPlan, change map[string]controllertest.Change) []probepod.Outcome {
	var out []probepod.Outcome
	for _, node := range f.Nodes() {
		r := controllertest.Passing(&f.Plan, node)
		for i := range r.Results {
			if c := change[node]; c != nil {
				c(&r.Results[i])
			}
		}
		out = append(out, Decode(f, node, report.Summarize(r, &f.Plan).Encode()))
	}
	return out
}

// Decode is the outcome of a source whose container left this message.
func Decode(f *runplan.RunPlan, node string, message []byte) probepod.Outcome {
	s, err := report.DecodeSummary(message, &f.Plan, node)
	if err != nil {
		panic(err)
	}
	return probepod.Outcome{Source: node, State: probepod.Reported, Summary: s, Text: string(message)}
}
