package conditions

import (
	"fmt"
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Announce puts the run that is due into the status. Nothing else of the run exists before this is written. A run that
// was announced but has no plan yet is replaced: it has done nothing.
func Announce(probe *v1alpha1.TCPProbe, res *target.Resolved, now time.Time) {
	number, status := schedule.NextNumber(probe), &probe.Status
	if !schedule.LastRunHasThisSpec(probe) {
		status.Health, status.LastFailure = nil, nil // they are of another spec
	}
	if !schedule.LastRunIsCurrent(probe) {
		status.LeakedFlows = 0 // somebody asked for this run, and may have mended what left connections
	}
	status.ActiveRun = &v1alpha1.ActiveRun{
		ID: schedule.RunID(probe, number), Number: number, Trigger: schedule.Trigger(probe),
		StartTime: metav1.NewTime(now), Sources: int32(len(res.Sources.Planned)),
	}
	status.HandledRun = schedule.Requested(probe)
	status.Target = text.Cut(res.String(), v1alpha1.MaxTarget)
	status.Sources = &v1alpha1.SourceCounts{
		Matched: int32(res.Sources.Matched), Planned: int32(len(res.Sources.Planned)),
		Skipped: int32(res.Sources.Matched - len(res.Sources.Planned)),
	}
}

// Conclude turns the active run into the last run, with its result.
func Conclude(probe *v1alpha1.TCPProbe, agg *findings.Aggregate, now time.Time) {
	status := &probe.Status
	findings := agg.Findings(status.Findings, metav1.NewTime(now))
	moveToLastRun(status, agg.Verdict, len(agg.Outcomes), agg.Reported, now)
	status.LastRun.Notes = agg.Notes
	status.LastRun.LeakedFlows, status.LastRun.UnconfirmedFlows = count(agg.Left), count(agg.Unconfirmed)
	status.LeakedFlows = count(int64(status.LeakedFlows) + agg.Left)
	pairs := agg.Pairs
	status.Pairs, status.Findings, status.Missing = &pairs, findings, nil
	status.Affected = fmt.Sprintf("%d/%d", pairs.Fail, pairs.Planned)
	if m := agg.RunPlan.Missing; m != nil {
		pairs.Missing = count(int64(m.Pairs))
		for _, what := range m.What {
			status.Missing = append(status.Missing, text.Cut(what, v1alpha1.MaxMissingText))
		}
	}
	updateLastFailure(status, agg)
}

// count is a number of connections as the status has it.
func count(n int64) int32 { return int32(min(n, math.MaxInt32)) }

// LostRun is why an active run cannot continue.
type LostRun struct{ Reason, Message string }

func (l *LostRun) Error() string { return l.Reason + ": " + l.Message }

// ConcludeLost ends a run whose plan was lost. Without the plan it is not known what the run asked.
func ConcludeLost(probe *v1alpha1.TCPProbe, why *LostRun, now time.Time) {
	status := &probe.Status
	sources := int(status.ActiveRun.Sources)
	moveToLastRun(status, report.Inconclusive, sources, 0, now)
	at := metav1.NewTime(now)
	status.Pairs, status.Affected, status.Missing = nil, "", nil
	status.Findings = []v1alpha1.Finding{{
		Scope: v1alpha1.ScopeAll, Pairs: int32(max(1, sources)), Verdict: string(report.Inconclusive), Reason: why.Reason,
		Message:   text.Cut(why.Message, v1alpha1.MaxFindingMessage),
		FirstSeen: at, LastSeen: at,
	}}
}

func moveToLastRun(status *v1alpha1.TCPProbeStatus, verdict report.Verdict, sources, reported int, now time.Time) {
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
		// in whole seconds, as it is stored: messages contain the duration
		StartTime: run.StartTime, CompletionTime: metav1.NewTime(now.Truncate(time.Second)),
		Sources: int32(sources), Reported: int32(reported),
	}
}
