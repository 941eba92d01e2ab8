//go:build envtest

package reconciler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// newTestEnvOfTwoNamespaces has two pods of the Service, and a TCPProbe in another namespace.
func newTestEnvOfTwoNamespaces(t *testing.T, edit ...func(*v1alpha1.TCPProbe)) (*testEnv, *v1alpha1.TCPProbe) {
	t.Helper()
	env := newTestEnvWithPods(t)
	next := env.namespace("next-")
	probe := env.probe(append(edit, func(p *v1alpha1.TCPProbe) {
		p.Namespace, p.Spec.Target.Service.Namespace = next, env.tenant
	})...)
	return env, probe
}

// annotateService sets an annotation of the Service, as its owner would.
func (env *testEnv) annotateService(key, value string) {
	env.Helper()
	env.annotate(env.read(env.tenant, "web", &corev1.Service{}), key, value)
}

// requireRefused reconciles once. It fails the test if the TCPProbe is not refused with this reason and text, or if
// anything is created.
func (env *testEnv) requireRefused(r *Reconciler, p *v1alpha1.TCPProbe, reason, says string) {
	env.Helper()
	env.reconcile(r, p)
	message := env.expect(env.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, reason)
	if !strings.Contains(message, says) {
		env.Errorf("message %q; want one that says %q", message, says)
	}
	env.requireNothingLeft()
}

func TestAnotherNamespaceHasToConsent(t *testing.T) {
	env, p := newTestEnvOfTwoNamespaces(t)
	r := env.manager(env.api)
	for _, consent := range []string{"", "*", "some-other", p.Namespace + "-too"} {
		env.annotateService(v1alpha1.AllowFromAnnotation, consent)
		env.requireRefused(r, p, v1alpha1.ReasonConsentMissing,
			"annotation tcpprobe.dev/allow-from, a list of namespaces such as \""+p.Namespace+`"`)
	}
	env.annotateService(v1alpha1.AllowFromAnnotation, "some-other, "+p.Namespace)
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if done.Status.Target != env.tenant+"/web:http" || done.Status.Affected != "0/6" {
		t.Errorf("status %+v", done.Status)
	}
	env.requireNothingLeft()
}

// TestRefusalDoesNotTellWhetherTheServiceExists: the refusal is the same for a Service that does not exist and for one
// whose owner does not consent.
func TestRefusalDoesNotTellWhetherTheServiceExists(t *testing.T) {
	env, existing := newTestEnvOfTwoNamespaces(t)
	absent := env.probe(func(p *v1alpha1.TCPProbe) {
		p.Namespace, p.Name = existing.Namespace, "absent"
		p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "nothing", Namespace: env.tenant}
	})
	r := env.manager(env.api)
	message := func(p *v1alpha1.TCPProbe, name string) string {
		env.reconcile(r, p)
		return strings.ReplaceAll(env.expect(env.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse,
			v1alpha1.ReasonConsentMissing), name, "X")
	}
	if a, b := message(existing, "Service web"), message(absent, "Service nothing"); a != b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestEgressPolicyOfTheTenant(t *testing.T) {
	env, p := newTestEnvOfTwoNamespaces(t)
	env.annotateService(v1alpha1.AllowFromAnnotation, p.Namespace)
	env.create(&networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: "locked"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}},
	})
	r := env.manager(env.api)
	env.requireRefused(r, p, v1alpha1.ReasonEgressPolicy,
		"NetworkPolicy locked restricts egress of namespace "+p.Namespace)
	own := env.probe() // in the Service's own namespace, no policy of another one counts
	env.runUntil(r, own, runEnded(1))
	r.resolver.Allow.PastEgressPolicies = true
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// TestSilenceBehindAForeignPolicy: policies of the Service's namespace may apply.
func TestSilenceBehindAForeignPolicy(t *testing.T) {
	env, p := newTestEnvOfTwoNamespaces(t)
	env.annotateService(v1alpha1.AllowFromAnnotation, p.Namespace)
	env.nodes.behaviour["kn3"] = withFailure("Handshake", report.Filtered)
	env.create(&networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "quiet"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	})
	done := env.runUntil(env.manager(env.api), p, runEnded(1))
	message := env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonPolicyMayApply)
	if !strings.Contains(message, "NetworkPolicy quiet") {
		t.Errorf("message %q", message)
	}
}

// TestForeignTargetThatChanged: the recheck reads the pods of the Service's namespace.
func TestForeignTargetThatChanged(t *testing.T) {
	env, p := newTestEnvOfTwoNamespaces(t)
	env.annotateService(v1alpha1.AllowFromAnnotation, p.Namespace)
	env.nodes.behaviour["kn3"] = func(nodes *fakeNodes, pod *corev1.Pod, configMap *plan.Plan, node string) error {
		env.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "web-1"}}, zeroGrace)
		return withFailure("SequenceWrap", report.SequenceZeroDropped)(nodes, pod, configMap, node)
	}
	done := env.runUntil(env.manager(env.api), p, runEnded(1))
	if s := done.Status; s.Affected != "0/6" || s.Pairs.Inconclusive != 6 {
		t.Errorf("%s, %+v: %+v", s.Affected, s.Pairs, s.Findings)
	}
}

// TestConsentOfAnotherNamespaceWithdrawn: a pod that waited long is not released if the consent is gone by then.
func TestConsentOfAnotherNamespaceWithdrawn(t *testing.T) {
	env, p := newTestEnvOfTwoNamespaces(t)
	env.annotateService(v1alpha1.AllowFromAnnotation, p.Namespace)
	r := env.manager(env.api, func(c *Config) { c.Caps.Total = 0 })
	env.reconcile(r, p)
	env.annotateService(v1alpha1.AllowFromAnnotation, "")
	env.requireNotReleased(r, p, v1alpha1.ReasonConsentMissing)
}

// TestTwoNamespacesFillOneQueue: TCPProbes of two namespaces fill a Service's queues one after the other. They do not
// learn each other's names.
func TestTwoNamespacesFillOneQueue(t *testing.T) {
	env, foreign := newTestEnvOfTwoNamespaces(t, withAcceptQueue)
	env.annotateService(v1alpha1.AllowFromAnnotation, foreign.Namespace)
	env.consentToAcceptQueue("true")
	own, r := env.probe(withAcceptQueue), env.manager(env.api)
	env.reconcile(r, own)
	env.reconcile(r, foreign)
	message := env.expect(env.get(foreign), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	if !strings.Contains(message, "a TCPProbe of another namespace fills the queues of pods of Service web now") {
		t.Errorf("message %q", message)
	}
	env.runUntil(r, own, runEnded(1))
	env.runUntil(r, foreign, runEnded(1))
}

// TestOperatorsOwnServices: the operator's own Services are refused, even with consent.
func TestOperatorsOwnServices(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Namespace = env.probes })
	env.requireRefused(env.manager(env.api), p, v1alpha1.ReasonNamespaceDenied,
		"belongs to the operator itself, and what runs there is never probed")
	server := env.probe(func(p *v1alpha1.TCPProbe) {
		p.Name, p.Spec.Target.Service = "server", &v1alpha1.ServiceTarget{Name: "kubernetes", Namespace: "default"}
	})
	env.requireRefused(env.manager(env.api), server, v1alpha1.ReasonKubernetesService,
		"default/kubernetes is the API server, which is never probed")
}
