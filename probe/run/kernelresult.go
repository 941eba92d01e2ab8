package run

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// kernel is what connections of this host's own kernel to the target showed; nil: none were asked for. Where the
// crafted flows passed or were reset, no other of them explains it, and one of those was harmed, more are made first.
func (j *job) kernel(ctx context.Context, k *kernelTest, position int) *report.KernelConnections {
	if k == nil || k.screened == nil {
		return nil
	}
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	unsettled := slices.ContainsFunc(mine, verdict.Unsettled) && verdict.Explains(mine, report.KernelDied) == ""
	k.settled.Store(!unsettled)
	k.wait()
	if unsettled {
		k.confirm(ctx)
	}
	found := k.conclude()
	if found.Outcome == report.KernelNotAsked && k.opened == 0 && k.unopened != [2]int{} && verdict.Established(mine) {
		found.Message += "; look at its own firewall and routes"
	}
	if found.Alpha > 0 {
		found.Alpha = j.plan.Alpha
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count([]flow.Outcome{k.ends})
	j.kernels[position] = found
	return &found
}

// besideKernel judges the target's results beside what the kernel's connections showed.
func (j *job) besideKernel(found *report.KernelConnections, position int) {
	if found == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	explains := verdict.Explains(mine, found.Outcome)
	for i := range mine {
		mine[i] = verdict.WithKernel(mine[i], *found, explains, j.plan.Alpha)
		coverKernel(&mine[i], *found)
	}
}

// kernelConnections are those that were asked for, by target.
func (j *job) kernelConnections() (all []report.KernelConnections) {
	for _, k := range j.kernels {
		if k.Outcome != "" {
			all = append(all, k)
		}
	}
	return all
}

// kernelSegments is what they sent.
func (j *job) kernelSegments() (n int) {
	for _, k := range j.kernels {
		n += k.SegmentsSent
	}
	return n + j.connected
}

// conclude judges the connections.
func (k *kernelTest) conclude() report.KernelConnections {
	if len(k.evidence.Samples) == 0 && k.evidence.NotAsked == "" {
		k.evidence.NotAsked = "the time was over first"
	}
	found := verdict.Kernel(k.evidence)
	if found.Outcome == report.KernelNotAsked && k.void != "" && k.evidence.NotAsked == "" {
		found.Message = k.void
	}
	found.Target, found.MSS, found.Timestamps = k.env.Remote.String(), k.found.MSS, k.found.Timestamps
	found.SACK, found.SegmentsSent = k.found.SACK, k.found.SegmentsSent
	return found
}
