package run

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// add completes result number i from its flows.
func (j *job) add(i int, r report.Result, a answer) {
	var rtts []time.Duration
	for _, f := range a.flows {
		if f.RTT > 0 {
			rtts = append(rtts, f.RTT)
		}
	}
	r.Suspects, r.Controls = a.segments()
	best, n := verdict.Combine(findingsOf(a.flows))
	if a.finding != nil {
		best = *a.finding
	}
	r.Verdict, r.Reason, r.Message, r.Flows, r.RTTMicros = best.Verdict, best.Reason, best.Message, n, verdict.RTT(rtts)
	if best.Reason == report.Established {
		r.Message += verdict.Note(handshaken(a.flows))
	}
	r.Handshakes = verdict.Handshakes(handshaken(a.flows))
	r.Message += verdict.OpenedAlone(a.openedAlone, len(a.flows))
	if best.Tested {
		r.Alpha = j.plan.Alpha
	}
	if a.before != nil {
		r = verdict.WithLosses(r, *a.before, lossesOf(a.flows))
	}
	r.Covers = a.coverage(r)
	r.NextHops = verdict.CountHops(hopsTried(a.flows), a.plain)
	shown := representative(a.flows, best)
	r.Evidence, r.Queue = shown.Evidence, shown.Queue
	for _, f := range a.flows {
		r.StallMillis = max(r.StallMillis, f.Stall.Milliseconds())
	}
	if a.perPath && n.Pass+n.Fail > 0 && a.finding == nil && !notOfPaths[best.Reason] {
		a.explain(&r)
	}
	r.Message += a.note
	j.mu.Lock()
	defer j.mu.Unlock()
	j.results[i], j.ports[i], j.alone[i] = r, shown.Port, a.onlyZero(best)
	if slices.ContainsFunc(a.flows, func(f flow.Outcome) bool { return f.SACKShifted }) {
		j.shifted[i/len(j.checks)] = true
	}
	j.keepCapture(r, shown.Records)
	j.count(a.flows)
	j.count(a.pooled)
	j.count(a.again)
	j.done++
	if j.finished != nil {
		j.finished(j.unconfirmed(r))
	}
	if j.progress != nil {
		j.progress(j.done, j.asked)
	}
}

// explain adds on which flows, paths and next hops the finding of a result was made.
func (a *answer) explain(r *report.Result) {
	spread := verdict.Spread{Flows: r.Flows, Again: a.repeats, Lengths: a.lengthsTried(), Hops: r.NextHops}
	r.Message = spread.Explain(r.Message)
	if share, ok := spread.Share(); ok {
		share.Ports = failedPorts(a.flows)
		r.Share = &share
	}
}

// unconfirmed is a result as it stands if the run ends before it is judged beside kernel connections.
func (j *job) unconfirmed(r report.Result) report.Result {
	if j.plan.KernelConnections == plan.Off {
		return r
	}
	k := report.KernelConnections{Outcome: report.KernelNotAsked, Message: "the run ended before they were judged"}
	return verdict.WithKernel(r, k, "", j.plan.Alpha)
}

// partial returns a report of one result, with what is known of the run so far.
func (j *job) partial(r report.Report, h *host, res report.Result) report.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Partial, r.Results, r.Guard = true, []report.Result{res}, j.guard
	r.LeakedFlows, r.UnconfirmedFlows = j.remains.Left, j.remains.Unknown
	r.Guard.Mode, r.Source.Address = string(h.attached), h.address
	return r
}

// noteSACKShift says in each result of a target that some flow saw a device which leaves SACK options as they are.
func (j *job) noteSACKShift(position int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.shifted[position] {
		return
	}
	for i := range j.checks {
		if r := &j.results[position*len(j.checks)+i]; r.Scenario != "" {
			r.Message += verdict.SACKShifted
		}
	}
}

func findingsOf(flows []flow.Outcome) (all []verdict.Finding) {
	for _, f := range flows {
		all = append(all, f.Finding)
	}
	return all
}

// onlyZero reports whether a flow with the published finding saw that numbers like 0 are not lost.
func (a *answer) onlyZero(best verdict.Finding) bool {
	return slices.ContainsFunc(a.flows, func(f flow.Outcome) bool { return f.Reason == best.Reason && f.OnlyZero })
}

// handshaken returns the handshakes of the flows that were established.
func handshaken(flows []flow.Outcome) (all []verdict.Handshaken) {
	for _, f := range flows {
		if f.Reason == report.Established {
			all = append(all, f.Handshake)
		}
	}
	return all
}

// notOfPaths are reasons that explain by themselves why some flows fail and others do not: each asks with another
// length, and only some lose their first segment by chance.
var notOfPaths = map[report.Reason]bool{report.SequenceZeroDroppedBySize: true, report.SequenceZeroFirstDropped: true,
	report.SequenceZeroLossy: true}

// hopsTried returns by which next hops the flows left.
func hopsTried(flows []flow.Outcome) (all []verdict.HopTried) {
	for _, f := range flows {
		all = append(all, verdict.HopTried{Hop: f.Hop, Verdict: f.Verdict})
	}
	return all
}

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

// notByPath reports whether only some flows of a result failed, and nothing shows that the path decides which.
func notByPath(r report.Result) bool {
	n := r.Flows
	return notOfPaths[r.Reason] || r.Share == nil && n.Fail > 0 && (n.Pass > 0 || n.Inconclusive > n.Fail)
}

// rules says which rules explain all that the crafted flows found at one target, by result: nil where none does.
func (j *job) rules(position int) []*verdict.RuleFit {
	j.mu.Lock()
	defer j.mu.Unlock()
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	out := make([]*verdict.RuleFit, len(mine))
	for entry := range j.plan.Scenarios {
		var asked []report.Result
		byPath := true
		for i, r := range mine {
			if r.Scenario == "SequenceWrap" && j.checks[i].Scenario == entry {
				asked, byPath = append(asked, r), byPath && !notByPath(r)
			}
		}
		if !byPath {
			continue // a rule of the table does not lose only some of the same segments on the same path
		}
		fit := verdict.FitRules(verdict.RuleReasons(asked))
		fit.NumbersOpen = true
		for i, r := range mine {
			if j.checks[i].Scenario == entry && fit.Explains(r) {
				out[i] = &fit
				fit.NumbersOpen = fit.NumbersOpen && !j.alone[position*len(j.checks)+i]
			}
		}
	}
	return out
}

// name gives the rules to the results that they explain. What else is said of those comes first: a long message is cut
// at its end.
func (j *job) name(position int, rules []*verdict.RuleFit) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, fit := range rules {
		if fit == nil {
			continue
		}
		r := &j.results[position*len(j.checks)+i]
		r.Message = fit.Explain(r.Message, j.plan.Probe != "")
		if fit.Rule != nil && !fit.NumbersOpen {
			r.Rule = fit.Rule.Name
		}
	}
}

// count adds up the guard's counters and the connections that were not seen to end.
func (j *job) count(flows []flow.Outcome) {
	for _, f := range flows {
		j.remains = j.remains.Plus(f.Remains)
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
