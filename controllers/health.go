package controllers

import (
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// uncoveredRuns is for how many runs in a row more than a tenth of the pairs may come to nothing before health is unknown.
const uncoveredRuns = 3

// weigh adds the run that has just ended to the record of a TCPProbe that recurs; others have none.
func weigh(probe *v1alpha1.TCPProbe, now time.Time) {
	status := &probe.Status
	if interval(probe) == 0 {
		status.Health = nil
		return
	}
	record := v1alpha1.HealthRecord{State: v1alpha1.HealthUnknown}
	if status.Health != nil {
		record = *status.Health
	}
	switch report.Verdict(status.LastRun.Verdict) {
	case report.Fail:
		record.Failing++
		record.LastFailure = ptr.To(metav1.NewTime(now.Truncate(time.Second)))
		if record.Failing >= raiseAfter(probe) {
			record.State = v1alpha1.HealthRaised
		}
	case report.Pass:
		record.Failing = 0
		if record.LastFailure == nil || now.Sub(record.LastFailure.Time) >= clearAfter(probe) {
			record.State = v1alpha1.HealthClear
		}
	}
	record.Uncovered++
	if p := status.Pairs; p != nil && p.Inconclusive*10 <= p.Planned {
		record.Uncovered = 0
	}
	status.Health = &record
}

// raiseAfter is how many failing runs in a row make PathHealthy False.
func raiseAfter(probe *v1alpha1.TCPProbe) int32 {
	if h := probe.Spec.Health; h != nil {
		return cmp.Or(h.RaiseAfter, v1alpha1.DefaultRaiseAfter)
	}
	return v1alpha1.DefaultRaiseAfter
}

// clearAfter is the time without a failure after which a run that passes makes PathHealthy True again.
func clearAfter(probe *v1alpha1.TCPProbe) time.Duration {
	seconds := int32(v1alpha1.DefaultClearAfterSeconds)
	if h := probe.Spec.Health; h != nil {
		seconds = ptr.Deref(h.ClearAfterSeconds, seconds)
	}
	return time.Duration(seconds) * time.Second
}

// recurringHealth is PathHealthy over runs: one is what it would be by the last run alone.
func recurringHealth(probe *v1alpha1.TCPProbe, one metav1.Condition) metav1.Condition {
	const kind = v1alpha1.ConditionPathHealthy
	record, last := probe.Status.Health, probe.Status.LastRun
	failed, passed := last.Verdict == string(report.Fail), last.Verdict == string(report.Pass)
	switch {
	case failed && record.State == v1alpha1.HealthRaised:
		return one
	case record.Uncovered >= uncoveredRuns:
		return condition(kind, metav1.ConditionUnknown, v1alpha1.ReasonCoverageLost,
			"in each of the last %d runs more than a tenth of the pairs came to no verdict; in the last one %s", record.Uncovered, one.Message)
	case record.State == v1alpha1.HealthRaised:
		return condition(kind, metav1.ConditionFalse, v1alpha1.ReasonRecentFailure,
			"a run failed at %s, and none has passed %s or more after that; the last one: %s", clockTime(record.LastFailure), clearAfter(probe), one.Message)
	case failed:
		return condition(kind, unraised(record), v1alpha1.ReasonBelowRaiseAfter,
			"%d of the %d failing runs in a row that spec.health.raiseAfter asks for: %s", record.Failing, raiseAfter(probe), one.Message)
	case !passed && record.State == v1alpha1.HealthClear:
		return condition(kind, metav1.ConditionTrue, v1alpha1.ReasonEarlierRunPassed,
			"an earlier run passed and none has failed since; the last one did not change that: %s", one.Message)
	}
	return one
}

// unraised is PathHealthy while failures are too few to change it.
func unraised(record *v1alpha1.HealthRecord) metav1.ConditionStatus {
	if record.State == v1alpha1.HealthClear {
		return metav1.ConditionTrue
	}
	return metav1.ConditionUnknown
}

func clockTime(t *metav1.Time) string { return t.UTC().Format(time.RFC3339) }

// nextWords say when the next run is due, if one is.
func nextWords(probe *v1alpha1.TCPProbe) string {
	switch next := probe.Status.NextRunTime; {
	case interval(probe) > 0 && probe.Spec.State == v1alpha1.Suspended:
		return "; spec.state Suspended holds further runs back"
	case next != nil:
		return fmt.Sprintf("; the next run is due at %s", clockTime(next))
	}
	return ""
}
