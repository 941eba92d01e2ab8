package conditions

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Event tells of a condition that changed. Its reason is the condition's.
type Event struct{ Kind, Reason, Action, Note string }

// Events lists the events about what changed in the conditions since before. That a run at the interval begins and ends
// is none: of hundreds of those, nobody would find the one that tells of a failure.
func Events(before []metav1.Condition, status *v1alpha1.TCPProbeStatus) []Event {
	var out []Event
	after := status.Conditions
	for _, c := range after {
		old := meta.FindStatusCondition(before, c.Type)
		if old != nil && old.Status == c.Status && old.Reason == c.Reason || c.Reason == v1alpha1.ReasonNotRun ||
			c.Reason == v1alpha1.ReasonAccepted {
			continue
		}
		if c.Type != v1alpha1.ConditionAccepted && meta.IsStatusConditionFalse(after, v1alpha1.ConditionAccepted) {
			continue // they only repeat Accepted
		}
		if goesWell(c) && atInterval(status) {
			continue
		}
		out = append(out, Event{Kind: eventType(c), Reason: c.Reason, Action: c.Type, Note: c.Message})
	}
	return out
}

// goesWell reports whether the condition tells no more than that a run goes on, or has ended as it should.
func goesWell(c metav1.Condition) bool {
	return c.Type == v1alpha1.ConditionComplete && eventType(c) == corev1.EventTypeNormal
}

// atInterval reports whether the interval started the run that goes on or has ended last.
func atInterval(status *v1alpha1.TCPProbeStatus) bool {
	if status.ActiveRun != nil {
		return status.ActiveRun.Trigger == v1alpha1.TriggerInterval
	}
	return status.LastRun != nil && status.LastRun.Trigger == v1alpha1.TriggerInterval
}

// eventType is Warning for what somebody should look into.
func eventType(c metav1.Condition) string {
	normal := c.Status == metav1.ConditionTrue
	switch c.Reason {
	case v1alpha1.ReasonRunning, v1alpha1.ReasonQueued, v1alpha1.ReasonSuspended:
		normal = true
	case v1alpha1.ReasonPartly, v1alpha1.ReasonNoReports:
		normal = false
	}
	if normal {
		return corev1.EventTypeNormal
	}
	return corev1.EventTypeWarning
}
