package main

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

const endpoints = 2 // of each Service

// Placeholders for the run and the node, which KWOK replaces.
const someRun, someNode = "the-run", "the-node"

// passing and failing are termination messages: Go strings for printf with a run and a node.
func passing() string { return summary(report.Pass, report.Delivered) }
func failing() string { return summary(report.Fail, report.SequenceZeroDropped) }

// summary is a prober's report for a TCPProbe with all defaults, with this verdict of SequenceWrap.
func summary(verdict report.Verdict, reason report.Reason) string {
	p := plan.Plan{
		APIVersion: plan.APIVersion, Run: someRun, Sources: map[string][]int{},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}},
	}
	r := report.Report{APIVersion: report.APIVersion, Run: someRun, Source: report.Source{Node: someNode},
		Guard: report.Guard{Mode: "tcx"}, Kernel: "6.18.0"}
	for i := range endpoints {
		target := plan.Target{Address: netip.AddrFrom4([4]byte{10, 128, 0, byte(i)}), Port: 80, Via: "PodIP"}
		p.Targets, p.Sources[someNode] = append(p.Targets, target), append(p.Sources[someNode], i)
		handshake := report.Unanswered(&p, someNode, report.Question{Position: i, Check: 0})
		wrap := report.Unanswered(&p, someNode, report.Question{Position: i, Check: 1})
		handshake.PathType, handshake.Verdict, handshake.Reason = report.Routed, report.Pass, report.Established
		wrap.PathType, wrap.Verdict, wrap.Reason = report.Routed, verdict, reason
		if verdict == report.Fail {
			wrap.Message, wrap.Flows, wrap.Alpha = "data with PSH at sequence 0 is lost", report.Flows{Tried: 16, Fail: 16}, 1e-7
		}
		r.Results = append(r.Results, handshake, wrap)
	}
	text := strings.ReplaceAll(string(report.Summarize(r, &p).Encode()), "%", "%%")
	text = strings.NewReplacer(someRun, "%[1]s", someNode, "%[2]s").Replace(text)
	return strconv.Quote(text)
}
