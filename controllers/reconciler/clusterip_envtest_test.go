//go:build envtest

package reconciler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestViaClusterIP(t *testing.T) {
	env := newTestEnvWithPods(t)
	p := env.probe(func(p *v1alpha1.TCPProbe) {
		p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
	})
	done := env.runUntil(env.manager(env.api), p, runEnded(1))
	message := env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if done.Status.Affected != "0/9" ||
		!strings.Contains(message, "the ClusterIP answered in 3 of 3 pairs, so its segments were translated") {
		t.Errorf("%s, %q", done.Status.Affected, message)
	}
	message = env.expect(done, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	if !strings.Contains(message, "its ClusterIP among them (2 pods behind it)") {
		t.Errorf("message %q", message)
	}
	env.requireNothingLeft()
}

// TestClusterIPOnOneNode: if all pods are on one node, segments from that node do not cross the network.
func TestClusterIPOnOneNode(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	done := env.runUntil(env.manager(env.api), env.probe(controllertest.ViaClusterIP), runEnded(1))
	if *done.Status.Pairs != (v1alpha1.PairCounts{Planned: 3, Pass: 3, SameNode: 1}) {
		t.Errorf("%+v", done.Status.Pairs)
	}
}

// TestForgedSliceBehindAClusterIP: one address that does not belong to the tenant is enough to refuse the ClusterIP.
// The pods are still probed.
func TestForgedSliceBehindAClusterIP(t *testing.T) {
	for name, c := range map[string]struct {
		forge func(*discoveryv1.EndpointSlice)
		says  string
	}{
		"the API server": {func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = []string{apiServerAddress} },
			"10.99.0.1 behind it: it belongs to the API server"},
		"a kubelet": {func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = []string{"192.168.7.2"} },
			"192.168.7.2 behind it: it belongs to node kn2"},
		"another pod's": {func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = []string{"10.244.9.9"} },
			"10.244.9.9 behind it: its Pod does not have this address"},
		"nobody's": {func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].TargetRef = nil }, "no Pod stands behind it"},
		"called not ready": {func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[0].Addresses, s.Endpoints[0].Conditions.Ready = []string{"10.244.9.9"}, new(false)
		}, "does not have this address"},
		"of another port": {func(s *discoveryv1.EndpointSlice) {
			s.Endpoints[0].Addresses, s.Ports[0].Name = []string{"10.244.9.9"}, new("other")
		}, "does not have this address"},
		"of the other family": {func(s *discoveryv1.EndpointSlice) {
			s.AddressType, s.Endpoints[0].Addresses = discoveryv1.AddressTypeIPv6, []string{"fd00:244::99"}
		}, "does not have this address"},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			pod := env.pod("web-1", "kn1", "10.244.1.5")
			forged := controllertest.Slice(env.tenant, "web", "-forged", refTo(pod), "10.244.1.5")
			c.forge(forged)
			env.create(forged)
			p, r := env.probe(controllertest.ViaClusterIP), env.manager(env.api)
			env.reconcile(r, p)
			message := env.expect(env.get(p), v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
			if !strings.Contains(message, c.says) || !strings.Contains(message, " (ClusterIP): ") || len(env.plans()) > 0 {
				t.Errorf("message %q", message)
			}
			env.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP} })
			env.runUntil(r, p, runEnded(1))
		})
	}
}

// TestSliceEditedDuringTheRun: if a slice was edited during the run, the ClusterIP may have led elsewhere. Editing the
// slice back does not hide that.
func TestSliceEditedDuringTheRun(t *testing.T) {
	redirect := func(env *testEnv, address string) {
		env.Helper()
		var s discoveryv1.EndpointSlice
		env.read(env.tenant, "web-web-1", &s)
		s.Endpoints[0].Addresses = []string{address}
		if err := env.api.Update(env.Context(), &s); err != nil {
			env.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		change func(*testEnv)
		says   string
	}{
		"edited": {func(env *testEnv) { redirect(env, "192.168.7.2") }, "the EndpointSlices of Service web were changed"},
		"edited and back": {func(env *testEnv) { redirect(env, "192.168.7.2"); redirect(env, "10.244.1.5") },
			"the EndpointSlices of Service web were changed"},
		"one more": {func(env *testEnv) {
			env.create(controllertest.Slice(env.tenant, "web", "-more", nil, apiServerAddress))
		}, "the EndpointSlices of Service web were changed"},
		"relabelled and back": {func(env *testEnv) {
			s := env.read(env.tenant, "web-web-1", &discoveryv1.EndpointSlice{}).(*discoveryv1.EndpointSlice)
			for _, service := range []string{"other", "web"} {
				s.Labels[discoveryv1.LabelServiceName] = service
				if err := env.api.Update(env.Context(), s); err != nil {
					env.Fatal(err)
				}
			}
		}, "the EndpointSlices of Service web were changed"},
		"more slices than are read": {func(env *testEnv) { env.createTooManySlices() },
			"the EndpointSlices of Service web were changed"},
		"a pod replaced": {func(env *testEnv) {
			env.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "web-1"}}, zeroGrace)
			env.startPod(env.barePod("web-1", ""), "10.244.1.5")
		}, "Pod web-1 was replaced"},
		"the Service replaced": {func(env *testEnv) {
			old := env.read(env.tenant, "web", &corev1.Service{}).(*corev1.Service)
			env.delete(old)
			env.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "web"},
				Spec: corev1.ServiceSpec{Selector: old.Spec.Selector, Ports: []corev1.ServicePort{{Name: "http", Port: 81}}}})
		}, "Service web has another ClusterIP or port"},
		"the Service without a selector": {func(env *testEnv) {
			svc := env.read(env.tenant, "web", &corev1.Service{}).(*corev1.Service)
			before := svc.DeepCopy()
			svc.Spec.Selector = nil
			if err := env.api.Patch(env.Context(), svc, client.MergeFrom(before)); err != nil {
				env.Fatal(err)
			}
		}, "Service web has no selector"},
	} {
		for _, verdict := range []report.Verdict{report.Pass, report.Fail} {
			t.Run(name+"/"+string(verdict), func(t *testing.T) {
				requireInconclusive(newTestEnv(t), verdict, c.change, c.says)
			})
		}
	}
}

// requireInconclusive has the ClusterIP changed before the prober of kn2 reports this verdict. No pair may then have
// the verdict, and PathHealthy has to say why.
func requireInconclusive(env *testEnv, verdict report.Verdict, change func(*testEnv), says string) {
	env.Helper()
	env.pod("web-1", "kn1", "10.244.1.5")
	env.nodes.behaviour["kn2"] = func(nodes *fakeNodes, pod *corev1.Pod, p *plan.Plan, node string) error {
		change(env)
		if verdict == report.Fail {
			return withFailure("SequenceWrap", report.SequenceZeroDropped)(nodes, pod, p, node)
		}
		return nodes.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
	}
	done := env.runUntil(env.manager(env.api), env.probe(controllertest.ViaClusterIP), runEnded(1))
	message := env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, "not counted: "+says) || done.Status.Pairs.Inconclusive != 3 {
		env.Errorf("%+v, %q; want %q", done.Status.Pairs, message, says)
	}
}

// TestSliceEditedInTheQueue: a pod that waited long is not released if the ClusterIP leads elsewhere by then.
func TestSliceEditedInTheQueue(t *testing.T) {
	env := newTestEnv(t)
	pod := env.pod("web-1", "kn1", "10.244.1.5")
	p, r := env.probe(controllertest.ViaClusterIP), env.manager(env.api, func(c *Config) { c.Caps.Total = 0 })
	env.reconcile(r, p)
	env.create(controllertest.Slice(env.tenant, "web", "-more", refTo(pod), "192.168.7.2"))
	env.requireNotReleased(r, p, v1alpha1.ReasonTargetChanged)
}

func TestServicesWithoutAClusterIP(t *testing.T) {
	env := newTestEnv(t)
	env.pod("web-1", "kn1", "10.244.1.5")
	for name, spec := range map[string]corev1.ServiceSpec{
		"headless": {ClusterIP: corev1.ClusterIPNone},
		"local":    {InternalTrafficPolicy: ptr.To(corev1.ServiceInternalTrafficPolicyLocal)},
	} {
		spec.Selector, spec.Ports = map[string]string{"app": "web"}, []corev1.ServicePort{{Name: "http", Port: 80}}
		env.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: name}, Spec: spec})
		p := env.probe(controllertest.ViaClusterIP, func(p *v1alpha1.TCPProbe) {
			p.Name, p.Spec.Target.Service.Name = name, name
		})
		env.requireRefused(env.manager(env.api), p, v1alpha1.ReasonNoClusterIP, "use via PodIP")
	}
}

// TestClusterIPWithoutServingPods waits, as for any Service without ready pods.
func TestClusterIPWithoutServingPods(t *testing.T) {
	env := newTestEnv(t)
	pod := env.pod("web-1", "kn1", "10.244.1.5")
	pod.Status.Conditions = nil
	if err := env.api.Status().Update(env.Context(), pod); err != nil {
		t.Fatal(err)
	}
	p := env.probe(controllertest.ViaClusterIP)
	env.reconcile(env.manager(env.api), p)
	message := env.expect(env.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonNoEndpoints)
	if !strings.Contains(message, "none of the 1 endpoints of Service web is Ready") {
		t.Errorf("message %q", message)
	}
}
