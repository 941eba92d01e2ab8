package schedule

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// UncoveredRuns is the number of uncovered runs in a row after which health is unknown. In an uncovered run more than
// a tenth of the pairs had no verdict or were missing.
const UncoveredRuns = 3

// UpdateHealth adds the run that has just ended to the health record. Only recurring TCPProbes have one.
func UpdateHealth(probe *v1alpha1.TCPProbe, now time.Time) {
	status := &probe.Status
	if Interval(probe) == 0 {
		status.Health = nil
		return
	}
	record := v1alpha1.HealthRecord{State: v1alpha1.HealthUnknown}
	if status.Health != nil {
		record = *status.Health
	}
	open := status.LastFailure != nil && status.LastFailure.PassedTime == nil
	switch verdict := report.Verdict(status.LastRun.Verdict); {
	case verdict == report.Fail:
		record.Failing++
		record.LastFailure = new(metav1.NewTime(now.Truncate(time.Second)))
		if record.Failing >= RaiseAfter(probe) {
			record.State = v1alpha1.HealthRaised
		}
	case verdict == report.Pass && !open: // a Pass that misses what had failed clears nothing
		record.Failing = 0
		if record.LastFailure == nil || now.Sub(record.LastFailure.Time) >= ClearAfter(probe) {
			record.State = v1alpha1.HealthClear
		}
	}
	record.Uncovered++
	if p := status.Pairs; p != nil && (p.Inconclusive+p.Missing)*10 <= p.Planned+p.Missing {
		record.Uncovered = 0
	}
	status.Health = &record
}

// RaiseAfter is how many failing runs in a row make PathHealthy False.
func RaiseAfter(probe *v1alpha1.TCPProbe) int32 {
	if h := probe.Spec.Health; h != nil {
		return cmp.Or(h.RaiseAfter, v1alpha1.DefaultRaiseAfter)
	}
	return v1alpha1.DefaultRaiseAfter
}

// ClearAfter is the time without a failure after which a run that passes makes PathHealthy True again.
func ClearAfter(probe *v1alpha1.TCPProbe) time.Duration {
	seconds := int32(v1alpha1.DefaultClearAfterSeconds)
	if h := probe.Spec.Health; h != nil {
		seconds = ptr.Deref(h.ClearAfterSeconds, seconds)
	}
	return time.Duration(seconds) * time.Second
}
