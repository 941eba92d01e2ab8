package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// Collector exports what exists in the cluster, from the caches, at each scrape. Only the leader exports it, so that
// nothing is counted once for each replica. Labels name TCPProbes, and never pods or addresses.
type Collector struct {
	Caches  client.Reader
	Probes  string          // the namespace of probe pods
	Caps    limits.Caps     // exported for comparison with the counts
	Elected <-chan struct{} // closed once this manager leads
}

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tcpprobe_"+name, help, labels, nil)
}

var (
	conditionMetric = metric("condition", "1 for the status and reason that each condition of each TCPProbe has now.",
		"namespace", "name", "type", "status", "reason")
	lastRunMetric = metric("last_run_completion_timestamp_seconds", "When the last run of a TCPProbe ended.",
		"namespace", "name")
	lastPairsMetric = metric("last_run_pairs", "Pairs of source and target in the last run of a TCPProbe, by verdict.",
		"namespace", "name", "verdict")
	leakedMetric = metric("leaked_flows",
		"Connections that runs of a TCPProbe left at their targets since its spec or run annotation changed.",
		"namespace", "name")
	unconfirmedMetric = metric("last_run_unconfirmed_flows",
		"Connections of the last run of a TCPProbe of which nothing showed whether their targets hold them still.",
		"namespace", "name")
	missedMetric = metric("missed_runs_total", "Runs of a recurring TCPProbe that were not started in time.",
		"namespace", "name")
	podsMetric      = metric("pods", "Probe pods by state: Gated, Pending, Running, Succeeded, Failed.", "state")
	podsLimitMetric = metric("pods_limit", "Probe pods that there may be at once.")
	queuedMetric    = metric("queued_pods", "Probe pods that active runs have still to make.")
	waitingMetric   = metric("queued_runs", "Active runs that have probe pods still to make.")
	activeMetric    = metric("active_runs", "Runs that go on.")
)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{conditionMetric, lastRunMetric, lastPairsMetric, leakedMetric,
		unconfirmedMetric, missedMetric, podsMetric,
		podsLimitMetric, queuedMetric, waitingMetric, activeMetric} {
		out <- d
	}
}

const collectTimeout = 5 * time.Second // the caches answer at once, unless they have not been filled yet

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	select {
	case <-c.Elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	for _, part := range []struct {
		about   *prometheus.Desc
		collect func(context.Context, chan<- prometheus.Metric) error
	}{{conditionMetric, c.probes}, {podsMetric, c.pods}, {queuedMetric, c.queue}} {
		if err := part.collect(ctx, out); err != nil {
			out <- prometheus.NewInvalidMetric(part.about, err)
		}
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (c *Collector) probes(ctx context.Context, out chan<- prometheus.Metric) error {
	var list v1alpha1.TCPProbeList
	if err := c.Caches.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	active := 0
	for i := range list.Items {
		collectProbe(out, &list.Items[i])
		if list.Items[i].Status.ActiveRun != nil {
			active++
		}
	}
	gauge(out, activeMetric, float64(active))
	return nil
}

func collectProbe(out chan<- prometheus.Metric, probe *v1alpha1.TCPProbe) {
	status := &probe.Status
	for _, condition := range status.Conditions {
		gauge(out, conditionMetric, 1, probe.Namespace, probe.Name, condition.Type, string(condition.Status),
			condition.Reason)
	}
	out <- prometheus.MustNewConstMetric(missedMetric, prometheus.CounterValue, float64(status.MissedRuns),
		probe.Namespace, probe.Name)
	gauge(out, leakedMetric, float64(status.LeakedFlows), probe.Namespace, probe.Name)
	if status.LastRun != nil {
		gauge(out, unconfirmedMetric, float64(status.LastRun.UnconfirmedFlows), probe.Namespace, probe.Name)
		gauge(out, lastRunMetric, float64(status.LastRun.CompletionTime.Unix()), probe.Namespace, probe.Name)
	}
	for verdict, n := range byVerdict(status.Pairs) {
		gauge(out, lastPairsMetric, float64(n), probe.Namespace, probe.Name, verdict)
	}
}

func (c *Collector) pods(ctx context.Context, out chan<- prometheus.Metric) error {
	var list corev1.PodList
	if err := c.Caches.List(ctx, &list, client.InNamespace(c.Probes),
		client.MatchingLabels{runplan.LabelManagedBy: runplan.ManagedBy}, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	states := map[string]int{"Gated": 0, string(corev1.PodPending): 0, string(corev1.PodRunning): 0,
		string(corev1.PodSucceeded): 0, string(corev1.PodFailed): 0}
	for i := range list.Items {
		state := string(list.Items[i].Status.Phase)
		if probepod.Gated(&list.Items[i]) {
			state = "Gated"
		}
		states[state]++
	}
	for state, n := range states {
		gauge(out, podsMetric, float64(n), state)
	}
	gauge(out, podsLimitMetric, float64(c.Caps.Total))
	return nil
}

func (c *Collector) queue(ctx context.Context, out chan<- prometheus.Metric) error {
	plans, err := gc.OpenPlans(ctx, c.Caches, c.Probes)
	if err != nil {
		return err
	}
	pods := 0
	for _, open := range plans {
		pods += open.Open
	}
	gauge(out, waitingMetric, float64(len(plans)))
	gauge(out, queuedMetric, float64(pods))
	return nil
}
