package run

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// add completes result number i from its flows.
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
	j.keepCapture(r, shown.Records)
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

// failedPorts returns the source ports of failed flows, at most as many as a share may have.
func failedPorts(flows []flow.Outcome) (ports []uint16) {
	for _, f := range flows {
		if f.Verdict == report.Fail && len(ports) < report.MaxPorts {
			ports = append(ports, f.Port)
		}
	}
	slices.Sort(ports)
	return ports
}

// rules are the known rules that explain what was found at one target, by result: nil where it did not fail, or none
// explains it.
func (j *job) rules(position int) []*rule.Rule {
	j.mu.Lock()
	defer j.mu.Unlock()
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	out := make([]*rule.Rule, len(mine))
	for entry := range j.plan.Scenarios {
		reasons := map[string]report.Reason{}
		for i, r := range mine {
			if r.Scenario == "SequenceWrap" && j.checks[i].Scenario == entry {
				reasons[r.Variant] = r.Reason
			}
		}
		named := verdict.NameRule(reasons)
		for i, r := range mine {
			if j.checks[i].Scenario == entry && r.Verdict == report.Fail {
				out[i] = named
			}
		}
	}
	return out
}

// name gives the rules to the results that they explain. What else is said of those comes first: a long message is cut
// at its end.
func (j *job) name(position int, rules []*rule.Rule) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, named := range rules {
		if r := &j.results[position*len(j.checks)+i]; named != nil {
			r.Rule, r.Message = named.Name, named.Explain(r.Message)
		}
	}
}

// count adds up the guard's counters and the leaked connections of the flows.
func (j *job) count(flows []flow.Outcome) {
	for _, f := range flows {
		j.leaked += f.Leaked
		j.guard.Stolen += f.Guard.Stolen
		j.guard.ResetsDropped += f.Guard.ResetsDropped
	}
}

// keepCapture keeps the packets that show a failure, unless those of another target with the same failure are kept
// already.
func (j *job) keepCapture(r report.Result, packets []conn.Record) {
	known := func(f capture.Failure) bool {
		return f.Result.Scenario == r.Scenario && f.Result.Variant == r.Variant && f.Result.Reason == r.Reason
	}
	if r.Verdict == report.Fail && len(packets) > 0 && !slices.ContainsFunc(j.failures, known) {
		j.failures = append(j.failures, capture.Failure{Result: r, Records: packets})
	}
}

// representative returns the first flow with the published finding. For a finding of the test over all flows it returns
// the first flow that lost a suspect.
func representative(flows []flow.Outcome, f verdict.Finding) (o flow.Outcome) {
	for _, o := range flows {
		if o.Reason == f.Reason || f.Reason == report.SequenceZeroLossy && o.FirstLost {
			return o
		}
	}
	return o
}
