package conditions

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Announce puts the run that is due into the status. Nothing of it exists before this is written. A run that was
// announced before, but has no plan yet, is replaced: it has done nothing.
func Announce(probe *v1alpha1.TCPProbe, g *target.Resolved, now time.Time) {
	number, status := schedule.NextNumber(probe), &probe.Status
	if !schedule.SameQuestion(probe) {
		status.Health = nil // of another question
	}
	status.ActiveRun = &v1alpha1.ActiveRun{
		ID: schedule.RunID(probe, number), Number: number, Trigger: schedule.Trigger(probe),
		StartTime: metav1.NewTime(now), Sources: int32(len(g.Sources.Planned)),
	}
	status.HandledRun = probe.Annotations[v1alpha1.RunAnnotation]
	status.Target = text.Cut(g.String(), 128)
	status.Sources = &v1alpha1.SourceCounts{
		Matched: int32(g.Sources.Matched), Planned: int32(len(g.Sources.Planned)),
		Skipped: int32(g.Sources.Matched - len(g.Sources.Planned)),
	}
}

// Conclude turns the active run into the last run, with what it came to.
func Conclude(probe *v1alpha1.TCPProbe, t *findings.Aggregate, now time.Time) {
	status := &probe.Status
	findings := t.Findings(status.Findings, metav1.NewTime(now))
	closeRun(status, t.Verdict, len(t.Outcomes), t.Reported, now)
	status.LastRun.Notes = t.Notes
	pairs := t.Pairs
	status.Pairs, status.Findings = &pairs, findings
	status.Affected = fmt.Sprintf("%d/%d", pairs.Fail, pairs.Planned)
}

// LostRun is why an active run cannot be carried on at all.
type LostRun struct{ Reason, Message string }

func (l *LostRun) Error() string { return l.Reason + ": " + l.Message }

// ConcludeLost ends a run whose plan was lost under it: nobody knows any more what was asked.
func ConcludeLost(probe *v1alpha1.TCPProbe, why *LostRun, now time.Time) {
	status := &probe.Status
	sources := int(status.ActiveRun.Sources)
	closeRun(status, report.Inconclusive, sources, 0, now)
	at := metav1.NewTime(now)
	status.Pairs, status.Affected = nil, ""
	status.Findings = []v1alpha1.Finding{{
		Scope: v1alpha1.ScopeAll, Pairs: int32(max(1, sources)), Verdict: string(report.Inconclusive), Reason: why.Reason,
		Message:   text.Cut(why.Message, v1alpha1.MaxFindingMessage),
		FirstSeen: at, LastSeen: at,
	}}
}

func closeRun(status *v1alpha1.TCPProbeStatus, verdict report.Verdict, sources, reported int, now time.Time) {
	if last := status.LastRun; last != nil {
		status.History = append([]v1alpha1.PastRun{{
			Number: last.Number, Verdict: last.Verdict, Affected: status.Affected, CompletionTime: last.CompletionTime,
		}}, status.History...)
		status.History = status.History[:min(len(status.History), v1alpha1.MaxHistory)]
	}
	run := status.ActiveRun
	status.ActiveRun = nil
	status.LastRun = &v1alpha1.LastRun{
		ID: run.ID, Number: run.Number, Trigger: run.Trigger, Verdict: string(verdict),
		// as it is stored: words are made of it
		StartTime: run.StartTime, CompletionTime: metav1.NewTime(now.Truncate(time.Second)),
		Sources: int32(sources), Reported: int32(reported),
	}
}
