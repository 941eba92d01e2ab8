package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Counters of what this manager has done since it started. The Collector exports what exists in the cluster.
var (
	runsEnded = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tcpprobe_runs_total",
		Help: "Runs that ended, by verdict (Pass, Fail, Inconclusive) and trigger (Spec, Annotation, Interval).",
	}, []string{"verdict", "trigger"})
	pairsJudged = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tcpprobe_pairs_total", Help: "Pairs of source and target that runs came to a verdict about.",
	}, []string{"verdict"})
	runSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tcpprobe_run_duration_seconds", Help: "Time from a run's start to its verdict, waiting for room included.",
		Buckets: []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600},
	})
	PodsCreated = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tcpprobe_pods_created_total", Help: "Probe pods that were created.",
	})
)

func init() { metrics.Registry.MustRegister(runsEnded, pairsJudged, runSeconds, PodsCreated) }

// RunEnded counts the run that has just become lastRun.
func RunEnded(status *v1alpha1.TCPProbeStatus) {
	run := status.LastRun
	runsEnded.WithLabelValues(run.Verdict, run.Trigger).Inc()
	runSeconds.Observe(max(0, run.CompletionTime.Sub(run.StartTime.Time).Seconds())) // the clock may have been set back
	for verdict, n := range byVerdict(status.Pairs) {
		pairsJudged.WithLabelValues(verdict).Add(float64(n))
	}
}

// byVerdict is empty if there are no counts, after a run whose plan was lost.
func byVerdict(p *v1alpha1.PairCounts) map[string]int32 {
	if p == nil {
		return nil
	}
	return map[string]int32{string(report.Pass): p.Pass, string(report.Fail): p.Fail,
		string(report.Inconclusive): p.Inconclusive}
}
