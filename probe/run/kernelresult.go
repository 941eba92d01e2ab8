package run

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// kernel judges what connections of this host's own kernel to the target showed beside its results. Where the crafted
// flows passed and one of those was harmed, more are made first.
func (j *job) kernel(ctx context.Context, k *kernelTest, position int) {
	if k == nil || k.screened == nil {
		return
	}
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	passed := slices.ContainsFunc(mine, func(r report.Result) bool {
		return verdict.AsksKernel(r) && r.Verdict == report.Pass
	})
	k.settled.Store(!passed)
	k.wait()
	if passed {
		k.confirm(ctx)
	}
	found := k.conclude()
	if found.Alpha > 0 {
		found.Alpha = j.plan.Alpha
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count([]flow.Outcome{k.ends})
	j.kernels[position] = found
	for i := range mine {
		mine[i] = verdict.WithKernel(mine[i], found, j.plan.Alpha)
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
	return n
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
	found.SegmentsSent = k.found.SegmentsSent
	return found
}
