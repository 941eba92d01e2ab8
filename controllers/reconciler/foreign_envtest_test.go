//go:build envtest

package reconciler

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// neighbour is a world with two pods of the Service and a TCPProbe in another namespace.
func neighbour(t *testing.T, edit ...func(*v1alpha1.TCPProbe)) (*world, *v1alpha1.TCPProbe) {
	t.Helper()
	w := furnished(t)
	next := w.namespace("next-")
	probe := w.probe(append(edit, func(p *v1alpha1.TCPProbe) {
		p.Namespace, p.Spec.Target.Service.Namespace = next, w.tenant
	})...)
	return w, probe
}

// annotates gives the Service an annotation, as its owner would.
func (w *world) annotates(key, value string) {
	w.Helper()
	var svc corev1.Service
	if err := w.api.Get(w.Context(), client.ObjectKey{Namespace: w.tenant, Name: "web"}, &svc); err != nil {
		w.Fatal(err)
	}
	before := svc.DeepCopy()
	metav1.SetMetaDataAnnotation(&svc.ObjectMeta, key, value)
	if err := w.api.Patch(w.Context(), &svc, client.MergeFrom(before)); err != nil {
		w.Fatal(err)
	}
}

// refuses demands that the next pass refuses the probe in these words, and makes nothing.
func (w *world) refuses(r *Reconciler, p *v1alpha1.TCPProbe, reason, says string) {
	w.Helper()
	w.pass(r, p)
	if message := w.condition(w.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse,
		reason); !strings.Contains(message, says) {
		w.Errorf("message %q; want one that says %q", message, says)
	}
	w.empty()
}

func TestAnotherNamespaceHasToConsent(t *testing.T) {
	w, p := neighbour(t)
	r := w.manager(w.api)
	for _, consent := range []string{"", "*", "some-other", p.Namespace + "-too"} {
		w.annotates(v1alpha1.AllowFromAnnotation, consent)
		w.refuses(r, p, v1alpha1.ReasonConsentMissing,
			"annotation tcpprobe.dev/allow-from, a list of namespaces such as \""+p.Namespace+`"`)
	}
	w.annotates(v1alpha1.AllowFromAnnotation, "some-other, "+p.Namespace)
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if done.Status.Target != w.tenant+"/web:http" || done.Status.Affected != "0/6" {
		t.Errorf("status %+v", done.Status)
	}
	w.empty()
}

// TestConsentDoesNotTellWhatThereIs: a Service that does not exist and one that does not consent look the same.
func TestConsentDoesNotTellWhatThereIs(t *testing.T) {
	w, there := neighbour(t)
	absent := w.probe(func(p *v1alpha1.TCPProbe) {
		p.Namespace, p.Name = there.Namespace, "absent"
		p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "nothing", Namespace: w.tenant}
	})
	r := w.manager(w.api)
	said := func(p *v1alpha1.TCPProbe, name string) string {
		w.pass(r, p)
		return strings.ReplaceAll(w.condition(w.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse,
			v1alpha1.ReasonConsentMissing), name, "X")
	}
	if a, b := said(there, "Service web"), said(absent, "Service nothing"); a != b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestEgressPolicyOfTheTenant(t *testing.T) {
	w, p := neighbour(t)
	w.annotates(v1alpha1.AllowFromAnnotation, p.Namespace)
	w.create(&networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: "locked"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}},
	})
	r := w.manager(w.api)
	w.refuses(r, p, v1alpha1.ReasonEgressPolicy, "NetworkPolicy locked restricts egress of namespace "+p.Namespace)
	own := w.probe() // in the Service's own namespace, no policy of another one counts
	w.drive(r, own, over(1))
	r.resolver.Allow.PastEgressPolicies = true
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// TestSilenceBehindAForeignPolicy: it is the policies of the Service's namespace that may apply.
func TestSilenceBehindAForeignPolicy(t *testing.T) {
	w, p := neighbour(t)
	w.annotates(v1alpha1.AllowFromAnnotation, p.Namespace)
	w.cast.acts["kn3"] = finds("Handshake", report.Filtered)
	w.create(&networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "quiet"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	})
	done := w.drive(w.manager(w.api), p, over(1))
	message := w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonPolicyMayApply)
	if !strings.Contains(message, "NetworkPolicy quiet") {
		t.Errorf("message %q", message)
	}
}

// TestForeignTargetThatChanged: the pods that are read again are those of the Service's namespace.
func TestForeignTargetThatChanged(t *testing.T) {
	w, p := neighbour(t)
	w.annotates(v1alpha1.AllowFromAnnotation, p.Namespace)
	w.cast.acts["kn3"] = func(c *cast, pod *corev1.Pod, configMap *plan.Plan, node string) error {
		w.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "web-1"}}, zeroGrace)
		return finds("SequenceWrap", report.SequenceZeroDropped)(c, pod, configMap, node)
	}
	done := w.drive(w.manager(w.api), p, over(1))
	if s := done.Status; s.Affected != "1/6" || s.Pairs.Inconclusive != 3 {
		t.Errorf("%s, %+v: %+v", s.Affected, s.Pairs, s.Findings)
	}
}

// TestConsentOfAnotherNamespaceWithdrawn: a pod whose turn comes late does not go to where it is not welcome any more.
func TestConsentOfAnotherNamespaceWithdrawn(t *testing.T) {
	w, p := neighbour(t)
	w.annotates(v1alpha1.AllowFromAnnotation, p.Namespace)
	r := w.manager(w.api, func(c *Config) { c.Caps.Total = 0 })
	w.pass(r, p)
	w.annotates(v1alpha1.AllowFromAnnotation, "")
	w.clock.Step(11 * time.Second)
	r.allowPods(limits.DefaultCaps)
	done := w.drive(r, p, func(p *v1alpha1.TCPProbe) bool { return p.Status.LastRun != nil })
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonConsentMissing)
	if n := w.cast.once(); n != 0 {
		t.Errorf("%d probers ran", n)
	}
}

// TestTwoNamespacesFillOneQueue: those who share a Service take turns too, and learn no more of each other than that.
func TestTwoNamespacesFillOneQueue(t *testing.T) {
	w, foreign := neighbour(t, fillingQueues)
	w.annotates(v1alpha1.AllowFromAnnotation, foreign.Namespace)
	w.consents("true")
	own, r := w.probe(fillingQueues), w.manager(w.api)
	w.pass(r, own)
	w.pass(r, foreign)
	message := w.condition(w.get(foreign), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonQueued)
	if !strings.Contains(message, "a TCPProbe of another namespace fills the queues of Service web now") {
		t.Errorf("message %q", message)
	}
	w.drive(r, own, over(1))
	w.drive(r, foreign, over(1))
}

// TestOperatorsOwnServices: not even with consent.
func TestOperatorsOwnServices(t *testing.T) {
	w := furnished(t)
	p := w.probe(func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Namespace = w.probes })
	w.refuses(w.manager(w.api), p, v1alpha1.ReasonNamespaceDenied,
		"belongs to the operator itself, and what runs there is never probed")
	server := w.probe(func(p *v1alpha1.TCPProbe) {
		p.Name, p.Spec.Target.Service = "server", &v1alpha1.ServiceTarget{Name: "kubernetes", Namespace: "default"}
	})
	w.refuses(w.manager(w.api), server, v1alpha1.ReasonConsentMissing,
		"namespace default has no Service kubernetes that may be probed")
}
