//go:build envtest

package reconciler

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func fillingQueues(p *v1alpha1.TCPProbe) {
	p.Spec.Scenarios = []v1alpha1.Scenario{{Type: v1alpha1.AcceptQueue,
		AcceptQueue: &v1alpha1.AcceptQueueOptions{MaxConnections: 10}}}
}

// consents to AcceptQueue, as the Service's owner would.
func (w *world) consents(value string) {
	w.Helper()
	w.annotates(v1alpha1.AcceptQueueAnnotation, value)
}

// TestQueuesAreFilledWithConsentAlone: by degrees, and never all of them without being told so.
func TestQueuesAreFilledWithConsentAlone(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	p, r := w.probe(fillingQueues), w.manager(w.api)
	refused := func(says string) {
		t.Helper()
		w.pass(r, p)
		if message := w.condition(w.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse,
			v1alpha1.ReasonConsentMissing); !strings.Contains(message, says) {
			t.Errorf("message %q; want %q", message, says)
		}
		w.empty()
	}
	refused("tcpprobe.dev/allow-accept-queue")
	w.consents("true")
	refused("one ready pod, web-1")
	w.consents("only-endpoint")
	w.cast.acts["kn2"] = fullQueue
	w.cast.acts["kn3"] = fullQueue
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.QueueOverflowed))
	if n := w.cast.once(); n != 1 {
		t.Errorf("%d probers fill the queue of one pod", n)
	}
	finding := done.Status.Findings[0]
	if finding.Scope != v1alpha1.ScopeTarget || finding.Target != "10.244.1.5:8080" || finding.Queue == nil ||
		finding.Queue.Least != 6 {
		t.Errorf("finding %+v", finding)
	}
	if done.Status.Pairs.Planned != 1 || done.Status.Sources.Planned != 1 || done.Status.LastRun.Sources != 1 {
		t.Errorf("pairs %+v, sources %+v", done.Status.Pairs, done.Status.Sources)
	}
}

// fullQueue is a prober that finds a queue of five.
func fullQueue(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
	r := controllertest.Passing(p, node)
	for i := range r.Results {
		overflowed(&r.Results[i])
		r.Results[i].Queue = &report.Queue{Least: 6, Most: 6, Behaviour: "IgnoredAck"}
	}
	return c.exit(pod, string(report.Summarize(r, p).Encode()))
}

func TestOnePodIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.pod("web-2", "kn2", "10.244.2.5")
	w.consents("true")
	done := w.drive(w.manager(w.api), w.probe(fillingQueues), over(1))
	message := w.condition(done, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	if !strings.Contains(message, "AcceptQueue fills the queue of 1 of 2 pods, each from one node") || w.cast.once() != 1 {
		t.Errorf("message %q", message)
	}
}

// TestPassOfAPodThatMoved: whoever answered was perhaps not the pod that was asked about.
func TestPassOfAPodThatMoved(t *testing.T) {
	w := newWorld(t)
	target := w.pod("web-1", "kn1", "10.244.1.5")
	w.pod("web-2", "kn2", "10.244.2.5")
	w.cast.acts["kn3"] = func(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
		w.delete(target, zeroGrace)
		return c.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
	}
	done := w.drive(w.manager(w.api), w.probe(), over(1))
	message := w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message,
		"not counted as Pass: Pod web-1 is gone") || done.Status.Pairs.Pass != 3 || done.Status.Pairs.Inconclusive != 3 {
		t.Errorf("%+v, %q", done.Status.Pairs, message)
	}
}

// TestOneFillsAtATime: two TCPProbes of one Service take turns.
func TestOneFillsAtATime(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.consents("only-endpoint")
	first, r := w.probe(fillingQueues), w.manager(w.api)
	second := w.probe(fillingQueues, func(p *v1alpha1.TCPProbe) { p.Name = "late" })
	w.pass(r, first)
	w.pass(r, second)
	message := w.condition(w.get(second), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	if !strings.Contains(message, "TCPProbe web fills the queues of Service web now") {
		t.Errorf("message %q", message)
	}
	w.drive(r, first, over(1))
	w.drive(r, second, over(1))
	if n := w.cast.once(); n != 2 {
		t.Errorf("%d probers ran", n)
	}
}

// TestConsentWithdrawnInTheQueue: a pod whose turn comes late fills nothing that it may not fill any more.
func TestConsentWithdrawnInTheQueue(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.consents("only-endpoint")
	p, r := w.probe(fillingQueues), w.manager(w.api, func(c *Config) { c.Caps.Total = 0 })
	w.pass(r, p)
	w.consents("no longer")
	w.clock.Step(11 * time.Second)
	r.allowPods(limits.DefaultCaps)
	done := w.drive(r, p, func(p *v1alpha1.TCPProbe) bool { return p.Status.LastRun != nil })
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonConsentMissing)
	if n := w.cast.once(); n != 0 {
		t.Errorf("%d probers ran", n)
	}
}

// overflowed is what a prober reports of a queue that overflowed.
func overflowed(r *report.Result) {
	controllertest.Failing("AcceptQueue", report.Fail, report.QueueOverflowed)(r)
	if r.Reason == report.QueueOverflowed {
		r.Flows, r.Queue = report.Flows{Tried: 1, Fail: 1}, &report.Queue{Least: 129, Most: 130, Behaviour: "IgnoredAck"}
	}
}
