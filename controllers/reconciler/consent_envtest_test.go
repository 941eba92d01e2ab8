//go:build envtest

package reconciler

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func withAcceptQueue(p *v1alpha1.TCPProbe) {
	p.Spec.Scenarios = []v1alpha1.Scenario{{Type: v1alpha1.AcceptQueue,
		AcceptQueue: &v1alpha1.AcceptQueueOptions{MaxConnections: 10}}}
}

// consentToAcceptQueue annotates the Service, as its owner would.
func (env *testEnv) consentToAcceptQueue(value string) {
	env.Helper()
	env.annotateService(v1alpha1.AcceptQueueAnnotation, value)
}

// TestAcceptQueueNeedsConsent: each value of the annotation consents to more. The only pod's queue is filled only if
// the annotation says so.
func TestAcceptQueueNeedsConsent(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	p, r := env.probe(withAcceptQueue), env.manager(env.api)
	refused := func(says string) {
		t.Helper()
		env.requireRefused(r, p, v1alpha1.ReasonConsentMissing, says)
	}
	refused("tcpprobe.dev/allow-accept-queue")
	env.consentToAcceptQueue("true")
	refused("one ready pod, web-1")
	env.consentToAcceptQueue("only-endpoint")
	env.nodes.behaviour["kn2"] = overflowedQueue
	env.nodes.behaviour["kn3"] = overflowedQueue
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.QueueOverflowed))
	if n := env.nodes.requireOneRunEach(); n != 1 {
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

// overflowedQueue is a prober that finds a queue of five full.
func overflowedQueue(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
	r := controllertest.Passing(p, node)
	for i := range r.Results {
		controllertest.QueueOverflowed()(&r.Results[i])
		r.Results[i].Queue = &report.Queue{Least: 6, Most: 6, Behaviour: "IgnoredAck"}
	}
	return nodes.exit(pod, string(report.Summarize(r, p).Encode()))
}

func TestOnePodIsLeftAlone(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	env.pod("web-2", "kn2", "10.244.2.5")
	env.consentToAcceptQueue("true")
	done := env.runUntil(env.manager(env.api), env.probe(withAcceptQueue), runEnded(1))
	message := env.expect(done, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	if !strings.Contains(message, "AcceptQueue fills the queue of 1 of 2 pods, each from one node") ||
		env.nodes.requireOneRunEach() != 1 {
		t.Errorf("message %q", message)
	}
}

// TestPassOfAPodThatMoved: the answers may have come from another pod than the one that was to be probed.
func TestPassOfAPodThatMoved(t *testing.T) {
	env := newTestEnv(t)
	target := env.pod("web-1", "kn1", "10.244.1.5")
	env.pod("web-2", "kn2", "10.244.2.5")
	env.nodes.behaviour["kn3"] = func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
		env.delete(target, zeroGrace)
		return nodes.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
	}
	done := env.runUntil(env.manager(env.api), env.probe(), runEnded(1))
	message := env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, "not counted: Pod web-1 is gone") || done.Status.Pairs.Inconclusive != 6 {
		t.Errorf("%+v, %q", done.Status.Pairs, message)
	}
}

// TestOneTCPProbeFillsAtATime: two TCPProbes of one Service run one after the other.
func TestOneTCPProbeFillsAtATime(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	env.consentToAcceptQueue("only-endpoint")
	first, r := env.probe(withAcceptQueue), env.manager(env.api)
	second := env.probe(withAcceptQueue, func(p *v1alpha1.TCPProbe) { p.Name = "late" })
	env.reconcile(r, first)
	env.reconcile(r, second)
	message := env.expect(env.get(second), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	if !strings.Contains(message, "TCPProbe web fills the queues of pods of Service web now") {
		t.Errorf("message %q", message)
	}
	env.runUntil(r, first, runEnded(1))
	env.runUntil(r, second, runEnded(1))
	if n := env.nodes.requireOneRunEach(); n != 2 {
		t.Errorf("%d probers ran", n)
	}
}

// TestConsentWithdrawnInTheQueue: a pod that waited long is not released if the consent is gone by then.
func TestConsentWithdrawnInTheQueue(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	env.consentToAcceptQueue("only-endpoint")
	p, r := env.probe(withAcceptQueue), env.manager(env.api, func(c *Config) { c.Caps.Total = 0 })
	env.reconcile(r, p)
	env.consentToAcceptQueue("no longer")
	env.requireNotReleased(r, p, v1alpha1.ReasonConsentMissing)
}

// filledPods names the pods whose queues the runs so far may fill.
func (env *testEnv) filledPods(names map[string]bool) {
	env.Helper()
	for _, configMap := range env.plans() {
		rp, err := runplan.Decode(configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot])
		if err != nil {
			env.Fatal(err)
		}
		for _, targets := range rp.Plan.Scenarios[0].Only {
			for _, target := range targets {
				names[rp.Endpoints[target].Pod] = true
			}
		}
	}
}

// TestOnePodIsLeftAloneByAll: several Services lead to the same pods, and several TCPProbes ask through each. One pod
// is never filled, and two of them never fill at once.
func TestOnePodIsLeftAloneByAll(t *testing.T) {
	env := newTestEnv(t)
	pods := []*corev1.Pod{env.pod("web-1", "kn1", "10.244.1.5"), env.pod("web-2", "kn2", "10.244.2.5"),
		env.pod("web-3", "kn3", "10.244.3.5")}
	env.consentToAcceptQueue("true")
	for _, name := range []string{"shadow", "alias"} {
		env.service(name, corev1.ServiceSpec{Selector: map[string]string{"app": "web"}})
		env.annotate(env.read(env.tenant, name, &corev1.Service{}), v1alpha1.AcceptQueueAnnotation, "true")
		for i, pod := range pods {
			env.create(controllertest.Slice(env.tenant, name, fmt.Sprint("-", name, i), refTo(pod), pod.Status.PodIP))
		}
	}
	var probes []*v1alpha1.TCPProbe
	for i := range 9 {
		probes = append(probes, env.probe(withAcceptQueue, func(p *v1alpha1.TCPProbe) {
			p.Name, p.Spec.Target.Service.Name = fmt.Sprint("ask-", i), []string{"web", "shadow", "alias"}[i%3]
		}))
	}
	r, filled := env.manager(env.api), make(map[string]bool)
	for i, p := range probes {
		env.reconcile(r, p)
		env.filledPods(filled)
		if next := i + 1; next < len(probes) {
			env.reconcile(r, probes[next])
			message := env.expect(env.get(probes[next]), v1alpha1.ConditionComplete, metav1.ConditionFalse,
				v1alpha1.ReasonQueued)
			if want := "TCPProbe " + p.Name + " fills the queues of pods of Service"; !strings.Contains(message, want) {
				t.Errorf("message %q; want one that says %q", message, want)
			}
		}
		env.runUntil(r, p, runEnded(1))
	}
	if len(filled) != 2 {
		t.Errorf("of three pods these were filled: %v", filled)
	}
}
