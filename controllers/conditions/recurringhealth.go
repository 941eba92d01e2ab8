package conditions

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// recurringHealth is PathHealthy over several runs. one is the condition by the last run alone.
func recurringHealth(probe *v1alpha1.TCPProbe, one metav1.Condition) metav1.Condition {
	const kind = v1alpha1.ConditionPathHealthy
	record, last := probe.Status.Health, probe.Status.LastRun
	failed, passed := last.Verdict == string(report.Fail), last.Verdict == string(report.Pass)
	switch {
	case failed && record.State == v1alpha1.HealthRaised:
		return one
	case failedMissing(&probe.Status) && record.State == v1alpha1.HealthRaised:
		return stillFailed(&probe.Status)
	case record.Uncovered >= schedule.UncoveredRuns:
		return condition(kind, metav1.ConditionUnknown, v1alpha1.ReasonCoverageLost,
			"in each of the last %d runs more than a tenth of the pairs came to no verdict or were missing; "+
				"in the last one %s", record.Uncovered, one.Message)
	case record.State == v1alpha1.HealthRaised:
		return condition(kind, metav1.ConditionFalse, v1alpha1.ReasonRecentFailure,
			"a run failed at %s, and none has passed %s or more after that; "+
				"the last one: %s", clockTime(record.LastFailure), schedule.ClearAfter(probe), one.Message)
	case failed, failedMissing(&probe.Status):
		return condition(kind, unraised(record), v1alpha1.ReasonBelowRaiseAfter,
			"%d of the %d failing runs in a row that spec.health.raiseAfter asks for: %s",
			record.Failing, schedule.RaiseAfter(probe), one.Message)
	case !passed && record.State == v1alpha1.HealthClear:
		return condition(kind, metav1.ConditionTrue, v1alpha1.ReasonEarlierRunPassed,
			"an earlier run passed and none has failed since; the last one did not change that: %s", one.Message)
	}
	return one
}

// unraised is the status of PathHealthy while too few runs have failed to change it.
func unraised(record *v1alpha1.HealthRecord) metav1.ConditionStatus {
	if record.State == v1alpha1.HealthClear {
		return metav1.ConditionTrue
	}
	return metav1.ConditionUnknown
}

func clockTime(t *metav1.Time) string { return t.UTC().Format(time.RFC3339) }
