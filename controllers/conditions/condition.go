package conditions

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Observation is what a reconcile found that the rest of the status does not have.
type Observation struct {
	Refusal  *target.Refusal // why a run that is due does not start
	Progress *Progress       // of the active run
	Err      error           // keeps a run from starting or going on; says nothing about the paths
	Note     string          // message of Accepted: what is probed and from where
}

// Set computes all four conditions from the rest of the status and the observation. It keeps nothing of the old
// conditions but the times of their last transition and Accepted's message.
func Set(probe *v1alpha1.TCPProbe, o Observation, now time.Time) {
	if o.Refusal == nil && schedule.LeavesConnections(probe) {
		o.Refusal = leavesConnections(&probe.Status)
	}
	for _, c := range []metav1.Condition{
		accepted(probe, o), complete(probe, o), covered(probe, o), pathHealthy(probe, o),
	} {
		c.ObservedGeneration = probe.Generation
		c.LastTransitionTime = metav1.NewTime(now)
		c.Message = text.Cut(c.Message, v1alpha1.MaxConditionMessage)
		meta.SetStatusCondition(&probe.Status.Conditions, c)
	}
}

func leavesConnections(status *v1alpha1.TCPProbeStatus) *target.Refusal {
	return target.Refused(v1alpha1.ReasonLeavesConnections,
		"runs have left %d connections at the target, in run %d %d of them, and no more are started from %d on: "+
			"RSTs do not reach it, and its application does not close when it gets a FIN; once that is mended, a new value "+
			"of the annotation %s or another spec starts the runs again",
		status.LeakedFlows, status.LastRun.Number, status.LastRun.LeakedFlows, v1alpha1.MaxLeakedFlows,
		v1alpha1.RunAnnotation)
}

func condition(kind string, status metav1.ConditionStatus, reason, format string, args ...any) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func (o Observation) refused() bool { return o.Refusal != nil && !o.Refusal.Waiting }
func (o Observation) waiting() bool { return o.Refusal != nil && o.Refusal.Waiting }

// notAccepted is the message of the other conditions of a TCPProbe that is refused.
const notAccepted = "no run starts: see condition Accepted"

func accepted(probe *v1alpha1.TCPProbe, o Observation) metav1.Condition {
	switch {
	case o.refused():
		return condition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, o.Refusal.Reason, "%s", o.Refusal.Message)
	case o.waiting():
		return condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted,
			"the spec can be carried out, but nothing is probed now: see condition Complete")
	case o.Note != "":
		return condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "%s", o.Note)
	}
	old := meta.FindStatusCondition(probe.Status.Conditions, v1alpha1.ConditionAccepted)
	if old != nil && old.Status == metav1.ConditionTrue {
		return *old
	}
	if probe.Spec.State == v1alpha1.Suspended {
		return condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted,
			"nothing is looked up while spec.state is Suspended")
	}
	return condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, "")
}

func complete(probe *v1alpha1.TCPProbe, o Observation) metav1.Condition {
	const kind = v1alpha1.ConditionComplete
	switch {
	case o.refused():
		return condition(kind, metav1.ConditionUnknown, o.Refusal.Reason, notAccepted)
	case o.Err != nil:
		return condition(kind, metav1.ConditionFalse, v1alpha1.ReasonServerError,
			"the run cannot go on, and is tried again: %v", o.Err)
	case o.Progress != nil:
		return condition(kind, metav1.ConditionFalse, o.Progress.reason(), "%s", o.Progress.message())
	case o.waiting():
		return condition(kind, metav1.ConditionFalse, o.Refusal.Reason, "%s; the run starts by itself when that changes",
			o.Refusal.Message)
	case schedule.LastRunIsCurrent(probe):
		c := completed(&probe.Status)
		c.Message += nextRunNote(probe)
		return c
	case probe.Spec.State == v1alpha1.Suspended:
		return condition(kind, metav1.ConditionFalse, v1alpha1.ReasonSuspended,
			"a run is due, and spec.state Suspended holds it back")
	}
	return condition(kind, metav1.ConditionFalse, v1alpha1.ReasonQueued, "a run is due")
}

func completed(status *v1alpha1.TCPProbeStatus) metav1.Condition {
	last, reason, missing := status.LastRun, v1alpha1.ReasonCompleted, ""
	switch {
	case last.Reported == 0:
		reason = v1alpha1.ReasonNoReports
	case last.Reported < last.Sources:
		reason, missing = v1alpha1.ReasonPartly, withoutReport(status.Findings)
	}
	took := last.CompletionTime.Sub(last.StartTime.Time).Round(time.Second)
	return condition(v1alpha1.ConditionComplete, metav1.ConditionTrue, reason,
		"run %d ended after %s: %d of %d nodes reported%s", last.Number, took, last.Reported, last.Sources, missing)
}

// withoutReport names the sources without a report, as far as single findings do.
func withoutReport(findings []v1alpha1.Finding) string {
	var names []string
	for _, f := range findings {
		if f.Scenario == "" && f.Source != "" {
			names = append(names, f.Source)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", not " + text.Several(names)
}

// nextRunNote says when the next run is due, if one is.
func nextRunNote(probe *v1alpha1.TCPProbe) string {
	switch next := probe.Status.NextRunTime; {
	case schedule.Interval(probe) > 0 && probe.Spec.State == v1alpha1.Suspended:
		return "; spec.state Suspended holds further runs back"
	case next != nil:
		return fmt.Sprintf("; the next run is due at %s", clockTime(next))
	}
	return ""
}

func covered(probe *v1alpha1.TCPProbe, o Observation) metav1.Condition {
	const kind = v1alpha1.ConditionCovered
	status := &probe.Status
	switch {
	case o.refused():
		return condition(kind, metav1.ConditionUnknown, o.Refusal.Reason, notAccepted)
	case o.waiting():
		return condition(kind, metav1.ConditionFalse, o.Refusal.Reason, "%s", o.Refusal.Message)
	case !schedule.LastRunHasThisSpec(probe):
		return condition(kind, metav1.ConditionUnknown, v1alpha1.ReasonNotRun, "no run of this spec has ended")
	case status.Pairs == nil || status.Pairs.Inconclusive > 0:
		return condition(kind, metav1.ConditionFalse, uncoveredReason(status.Findings), "%s", uncoveredMessage(status))
	}
	for _, f := range status.Findings {
		if f.Reason == v1alpha1.ReasonEndpointsRefused {
			return condition(kind, metav1.ConditionFalse, f.Reason, "%s", f.Message)
		}
	}
	if len(status.Missing) > 0 {
		return condition(kind, metav1.ConditionFalse, v1alpha1.ReasonSourcesMissing,
			"all %d pairs came to a verdict, and %d more are missing: %s", status.Pairs.Planned, status.Pairs.Missing,
			text.Listed(status.Missing))
	}
	return condition(kind, metav1.ConditionTrue, v1alpha1.ReasonAllCovered, "all %d pairs came to a verdict%s",
		status.Pairs.Planned, undecided(status.Findings))
}

// undecided says what came to no verdict although each pair did: another scenario or variant failed there.
func undecided(findings []v1alpha1.Finding) string {
	if what := described(findings, report.Inconclusive); what != "" {
		return ", though not in everything that was asked" + what
	}
	return ""
}

// uncoveredReason is why pairs have no verdict: the reason of the first source without a report, if there is one.
func uncoveredReason(findings []v1alpha1.Finding) string {
	for _, f := range findings {
		if f.Scenario == "" && f.Reason != v1alpha1.ReasonEndpointsRefused {
			return f.Reason
		}
	}
	return v1alpha1.ReasonInconclusivePairs
}

func uncoveredMessage(status *v1alpha1.TCPProbeStatus) string {
	head := "the run came to no verdict"
	if p := status.Pairs; p != nil {
		head = fmt.Sprintf("%d of %d pairs came to no verdict", p.Inconclusive, p.Planned)
	}
	head += described(status.Findings, report.Inconclusive)
	if len(status.Missing) > 0 {
		head += fmt.Sprintf("; %d more are missing: %s", status.Pairs.Missing, text.Listed(status.Missing))
	}
	return head
}
