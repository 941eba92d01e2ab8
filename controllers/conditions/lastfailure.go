package conditions

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// updateLastFailure keeps what failed in the run that has just ended, or notes that a run passed with all of it.
func updateLastFailure(status *v1alpha1.TCPProbeStatus, agg *findings.Aggregate) {
	run, missing := status.LastRun, agg.RunPlan.Missing
	switch {
	case agg.Verdict == report.Fail:
		nodes, pods := agg.Failed()
		if missing != nil { // what failed before is still open; the run has not asked it, so no name comes twice
			nodes, pods = append(slices.Clone(missing.Nodes), nodes...), append(slices.Clone(missing.Pods), pods...)
		}
		worst := status.Findings[0]
		status.LastFailure = &v1alpha1.LastFailure{Number: run.Number, Time: run.CompletionTime,
			Affected: status.Affected, Reason: worst.Reason,
			Message: text.Cut(describe(worst), v1alpha1.MaxFindingMessage),
			Nodes:   firstNames(nodes), Pods: firstNames(pods)}
	case agg.Verdict == report.Pass && status.LastFailure != nil && status.LastFailure.PassedTime == nil &&
		!missing.Failed():
		status.LastFailure.PassedTime = run.CompletionTime.DeepCopy()
	}
}

// firstNames are as many names as the status has room for.
func firstNames(names []string) []string { return names[:min(len(names), v1alpha1.MaxFailedNames)] }

// failedMissing reports whether the last run did not fail, and had not all in it of what had failed.
func failedMissing(status *v1alpha1.TCPProbeStatus) bool {
	f := status.LastFailure
	return f != nil && f.PassedTime == nil && status.LastRun.Verdict == string(report.Pass)
}
