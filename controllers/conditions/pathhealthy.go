package conditions

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func pathHealthy(probe *v1alpha1.TCPProbe, o Observation) metav1.Condition {
	const kind = v1alpha1.ConditionPathHealthy
	switch {
	case o.refused():
		return condition(kind, metav1.ConditionUnknown, o.Refusal.Reason, notAccepted)
	case !schedule.LastRunHasThisSpec(probe):
		return condition(kind, metav1.ConditionUnknown, v1alpha1.ReasonNotRun, "no run of this spec has ended")
	case schedule.Interval(probe) > 0 && probe.Status.Health != nil:
		return recurringHealth(probe, healthByLastRun(&probe.Status))
	case failedMissing(&probe.Status):
		return stillFailed(&probe.Status)
	}
	return healthByLastRun(&probe.Status)
}

func healthByLastRun(status *v1alpha1.TCPProbeStatus) metav1.Condition {
	const kind = v1alpha1.ConditionPathHealthy
	switch report.Verdict(status.LastRun.Verdict) {
	case report.Fail:
		return condition(kind, metav1.ConditionFalse, worstReason(status.Findings), "%s",
			strings.TrimPrefix(described(status.Findings, report.Fail), ": "))
	case report.Pass:
		return condition(kind, metav1.ConditionTrue, v1alpha1.ReasonAllPassed, "%s", strings.Join(append([]string{
			fmt.Sprintf("all %d pairs across the network passed",
				status.Pairs.Planned-status.Pairs.SameNode)}, status.LastRun.Notes...), "; "))
	}
	if p := status.Pairs; p != nil && p.SameNode == p.Planned && p.Inconclusive == 0 {
		return condition(kind, metav1.ConditionUnknown, v1alpha1.ReasonSameNodeOnly,
			"all %d pairs passed, but each within one node: no segment crossed the network; have an endpoint on another "+
				"node, or more nodes in sources", p.Planned)
	}
	return condition(kind, metav1.ConditionUnknown, worstReason(status.Findings), "%s", uncoveredMessage(status))
}

// stillFailed is PathHealthy after a Pass that misses what had failed.
func stillFailed(status *v1alpha1.TCPProbeStatus) metav1.Condition {
	f := status.LastFailure
	return condition(v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, v1alpha1.ReasonFailedMissing,
		"what failed at %s (run %d, %s: %s) is not among the %d pairs that passed since: %s", clockTime(&f.Time), f.Number,
		f.Affected, f.Message, status.Pairs.Planned, text.Listed(status.Missing))
}

func worstReason(findings []v1alpha1.Finding) string {
	if len(findings) == 0 {
		return v1alpha1.ReasonInconclusivePairs
	}
	return findings[0].Reason
}
