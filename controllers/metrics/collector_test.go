package metrics

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// mine is the metadata of what the manager creates for TCPProbe shop/web.
func mine(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "tcpprobe-probes", Name: name, Annotations: map[string]string{},
		Labels: map[string]string{runplan.LabelManagedBy: runplan.ManagedBy, runplan.LabelNamespace: "shop",
			runplan.LabelName: "web", runplan.LabelUID: string(controllertest.Probe().UID)}}
}

func cachesWithARun(t *testing.T) client.Reader {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	probe := controllertest.Probe()
	at := metav1.NewTime(controllertest.Noon)
	probe.Status = v1alpha1.TCPProbeStatus{
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionPathHealthy, Status: metav1.ConditionFalse,
			Reason: "SequenceZeroDropped"}},
		LastRun: &v1alpha1.LastRun{UnconfirmedFlows: 2, Number: 1, CompletionTime: at},
		ActiveRun: &v1alpha1.ActiveRun{Number: 2,
			Plan: "of-run-2"},
		Pairs: &v1alpha1.PairCounts{Planned: 9, Pass: 4, Fail: 3, Inconclusive: 2}, MissedRuns: 5, LeakedFlows: 7,
	}
	configMap, lost := &corev1.ConfigMap{ObjectMeta: mine("web-2")}, &corev1.ConfigMap{ObjectMeta: mine("web-1")}
	configMap.Annotations[runplan.AnnotationOpen], lost.Annotations[runplan.AnnotationOpen] = "7", "1"
	configMap.UID, lost.UID = "of-run-2", "of-run-1"
	gatedPod := &corev1.Pod{ObjectMeta: mine("web-2-0"),
		Spec: corev1.PodSpec{SchedulingGates: []corev1.PodSchedulingGate{{Name: "tcpprobe.dev/recorded"}}}}
	runs := &corev1.Pod{ObjectMeta: mine("web-2-1"), Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(probe, configMap, lost, gatedPod, runs).Build()
}

func elected() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestCollector(t *testing.T) {
	c := &Collector{Caches: cachesWithARun(t), Probes: "tcpprobe-probes", Caps: limits.DefaultCaps, Elected: elected()}
	want, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := testutil.CollectAndCompare(c, strings.NewReader(string(want))); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	follower := &Collector{Caches: c.Caches, Probes: c.Probes, Elected: make(chan struct{})}
	if n := testutil.CollectAndCount(follower); n != 0 {
		t.Errorf("a manager that does not lead exports %d metrics", n)
	}
}

// TestCollectorWithoutCaches: what cannot be read is an error of the scrape, not a 0.
func TestCollectorWithoutCaches(t *testing.T) {
	empty := fake.NewClientBuilder().WithScheme(runtime.NewScheme()).Build()
	registry := prometheus.NewRegistry()
	registry.MustRegister(&Collector{Caches: empty, Elected: elected()})
	if _, err := registry.Gather(); err == nil {
		t.Error("no error")
	}
}

var metricName = regexp.MustCompile(`\btcpprobe_[a-z_]+\b`)

// exportedMetrics are the names of all metrics that a leader exports.
func exportedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	registry := prometheus.NewRegistry()
	registry.MustRegister(&Collector{Caches: cachesWithARun(t), Probes: "tcpprobe-probes", Elected: elected()},
		NewBuildInfo("v1.2.3"), runsEnded, pairsJudged, runSeconds, PodsCreated)
	runsEnded.WithLabelValues("Pass", "Spec")
	pairsJudged.WithLabelValues("Pass")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		names[f.GetName()] = true
	}
	return names
}

// TestAlertsUseExportedMetrics: an alert on a metric that does not exist would never fire.
func TestAlertsUseExportedMetrics(t *testing.T) {
	rules, err := os.ReadFile("../../config/monitoring/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names, asked := exportedMetrics(t), metricName.FindAllString(string(rules), -1)
	if len(asked) == 0 {
		t.Error("the alerts use no metric")
	}
	for _, name := range asked {
		if !names[name] {
			t.Errorf("%s is not exported", name)
		}
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	names, documented := exportedMetrics(t), make(map[string]bool)
	for _, name := range metricName.FindAllString(string(page), -1) {
		documented[name] = true
		if !names[name] {
			t.Errorf("docs/operations.md has %s, which is not exported", name)
		}
	}
	for name := range names {
		if !documented[name] {
			t.Errorf("docs/operations.md does not have %s", name)
		}
	}
}

func TestCountRun(t *testing.T) {
	before := testutil.ToFloat64(pairsJudged.WithLabelValues("Fail"))
	ended := testutil.ToFloat64(runsEnded.WithLabelValues("Fail", "Interval"))
	at := metav1.NewTime(controllertest.Noon)
	RunEnded(&v1alpha1.TCPProbeStatus{
		LastRun: &v1alpha1.LastRun{UnconfirmedFlows: 2, Verdict: "Fail", Trigger: "Interval", StartTime: at,
			CompletionTime: metav1.NewTime(controllertest.Noon.Add(3 * time.Second))},
		Pairs: &v1alpha1.PairCounts{Planned: 9, Pass: 6, Fail: 3},
	})
	if n := testutil.ToFloat64(pairsJudged.WithLabelValues("Fail")) - before; n != 3 {
		t.Errorf("%v pairs", n)
	}
	if n := testutil.ToFloat64(runsEnded.WithLabelValues("Fail", "Interval")) - ended; n != 1 {
		t.Errorf("%v runs", n)
	}
}
