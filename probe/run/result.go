package run

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// add completes result number i by its flows.
func (j *job) add(i int, r report.Result, a answer) {
	var findings []verdict.Finding
	var rtts []time.Duration
	for _, f := range a.flows {
		findings = append(findings, f.Finding)
		if f.RTT > 0 {
			rtts = append(rtts, f.RTT)
		}
	}
	best, n := verdict.Combine(findings)
	if a.finding != nil {
		best = *a.finding
	}
	r.Verdict, r.Reason, r.Message, r.Flows, r.RTTMicros = best.Verdict, best.Reason, best.Message, n, verdict.RTT(rtts)
	if best.Tested {
		r.Alpha = j.plan.Alpha
	}
	shown := representative(a.flows, best)
	r.Evidence, r.Queue = shown.Evidence, shown.Queue
	for _, f := range a.flows {
		r.StallMillis = max(r.StallMillis, f.Stall.Milliseconds())
	}
	if a.perPath && n.Pass+n.Fail > 0 && a.finding == nil && !notOfPaths[best.Reason] {
		share := verdict.ShareOf(n.Fail, n.Pass+n.Fail)
		share.Ports = failedPorts(a.flows)
		r.Share = &share
		r.Message = verdict.Shared(r.Message, share)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.results[i] = r
	j.show(r, shown.Records)
	j.count(a.flows)
	j.count(a.pooled)
	j.done++
	if j.progress != nil {
		j.progress(j.done, j.asked)
	}
}

// notOfPaths are reasons that explain by themselves why some flows fail and others do not: each asks with another
// length, and only some lose their first segment by chance.
var notOfPaths = map[report.Reason]bool{report.SequenceZeroDroppedBySize: true, report.SequenceZeroFirstDropped: true,
	report.SequenceZeroLossy: true}

// failedPorts are the source ports of flows that failed, as many as a share has room for.
func failedPorts(flows []flow.Outcome) (ports []uint16) {
	for _, f := range flows {
		if f.Verdict == report.Fail && len(ports) < report.MaxPorts {
			ports = append(ports, f.Port)
		}
	}
	slices.Sort(ports)
	return ports
}

// name gives the known rule that explains all that was found at one target to the results that it explains.
func (j *job) name(position int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	for entry := range j.plan.Scenarios {
		reasons := map[string]report.Reason{}
		for i, r := range mine {
			if r.Scenario == "SequenceWrap" && j.checks[i].Scenario == entry {
				reasons[r.Variant] = r.Reason
			}
		}
		rule := verdict.NameRule(reasons)
		for i := range mine {
			if r := &mine[i]; rule != nil && j.checks[i].Scenario == entry && r.Verdict == report.Fail {
				r.Rule, r.Message = rule.Name, rule.Explain(r.Message)
			}
		}
	}
}

// count adds up what the flows say of the guard, and what they may have left.
func (j *job) count(flows []flow.Outcome) {
	for _, f := range flows {
		j.leaked += f.Leaked
		j.guard.Stolen += f.Guard.Stolen
		j.guard.ResetsDropped += f.Guard.ResetsDropped
	}
}

// show keeps the packets behind a failure, unless those of another target show the same.
func (j *job) show(r report.Result, packets []conn.Record) {
	known := func(f capture.Failure) bool {
		return f.Result.Scenario == r.Scenario && f.Result.Variant == r.Variant && f.Result.Reason == r.Reason
	}
	if r.Verdict == report.Fail && len(packets) > 0 && !slices.ContainsFunc(j.failures, known) {
		j.failures = append(j.failures, capture.Failure{Result: r, Records: packets})
	}
}

// representative is the first flow with the published finding; of one about all flows, the first that lost what others
// delivered.
func representative(flows []flow.Outcome, f verdict.Finding) (o flow.Outcome) {
	for _, o := range flows {
		if o.Reason == f.Reason || f.Reason == report.SequenceZeroLossy && o.FirstLost {
			return o
		}
	}
	return o
}
