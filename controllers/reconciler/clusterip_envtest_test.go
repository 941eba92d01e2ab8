//go:build envtest

package reconciler

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestThroughTheClusterIP(t *testing.T) {
	w := furnished(t)
	p := w.probe(func(p *v1alpha1.TCPProbe) {
		p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
	})
	done := w.drive(w.manager(w.api), p, over(1))
	message := w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if !strings.Contains(message,
		"the ClusterIP answered in 3 of 3 pairs, so its segments were translated") || done.Status.Affected != "0/9" {
		t.Errorf("%s, %q", done.Status.Affected, message)
	}
	if message := w.condition(done, v1alpha1.ConditionAccepted, metav1.ConditionTrue,
		v1alpha1.ReasonAccepted); !strings.Contains(message, "its ClusterIP among them (2 pods behind it)") {
		t.Errorf("message %q", message)
	}
	w.empty()
}

// TestClusterIPOnOneNode: if all pods are on one node, what is sent from it does not cross the network.
func TestClusterIPOnOneNode(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	done := w.drive(w.manager(w.api), w.probe(controllertest.ThroughClusterIP), over(1))
	if *done.Status.Pairs != (v1alpha1.PairCounts{Planned: 3, Pass: 3, SameNode: 1}) {
		t.Errorf("%+v", done.Status.Pairs)
	}
}

// TestForgeryBehindTheClusterIP: one address that is not the tenant's, and the ClusterIP is not probed; the pods are.
func TestForgeryBehindTheClusterIP(t *testing.T) {
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
			w := newWorld(t)
			pod := w.pod("web-1", "kn1", "10.244.1.5")
			forged := controllertest.Slice(w.tenant, "web", "-forged", refTo(pod), "10.244.1.5")
			c.forge(forged)
			w.create(forged)
			p, r := w.probe(controllertest.ThroughClusterIP), w.manager(w.api)
			w.pass(r, p)
			message := w.condition(w.get(p), v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
			if !strings.Contains(message, c.says) || !strings.Contains(message, " (ClusterIP): ") || len(w.plans()) > 0 {
				t.Errorf("message %q", message)
			}
			w.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP} })
			w.drive(r, p, over(1))
		})
	}
}

// TestSliceEditedDuringTheRun: whatever a ClusterIP led to meanwhile, it was perhaps not what was looked at, and
// editing a slice back does not hide that.
func TestSliceEditedDuringTheRun(t *testing.T) {
	redirect := func(w *world, address string) {
		w.Helper()
		var s discoveryv1.EndpointSlice
		w.at(w.tenant, "web-web-1", &s)
		s.Endpoints[0].Addresses = []string{address}
		if err := w.api.Update(w.Context(), &s); err != nil {
			w.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		change func(*world)
		says   string
	}{
		"edited": {func(w *world) { redirect(w, "192.168.7.2") }, "the EndpointSlices of Service web were changed"},
		"edited and back": {func(w *world) { redirect(w, "192.168.7.2"); redirect(w, "10.244.1.5") },
			"the EndpointSlices of Service web were changed"},
		"one more": {func(w *world) {
			w.create(controllertest.Slice(w.tenant, "web", "-more", nil,
				apiServerAddress))
		}, "the EndpointSlices of Service web were changed"},
		"relabelled and back": {func(w *world) {
			s := w.at(w.tenant, "web-web-1", &discoveryv1.EndpointSlice{}).(*discoveryv1.EndpointSlice)
			for _, service := range []string{"other", "web"} {
				s.Labels[discoveryv1.LabelServiceName] = service
				if err := w.api.Update(w.Context(), s); err != nil {
					w.Fatal(err)
				}
			}
		}, "the EndpointSlices of Service web were changed"},
		"more than anybody reads": {func(w *world) { w.flood() }, "the EndpointSlices of Service web were changed"},
		"a pod replaced": {func(w *world) {
			w.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "web-1"}}, zeroGrace)
			w.start(w.barePod("web-1", ""), "10.244.1.5")
		}, "Pod web-1 was replaced"},
		"the Service replaced": {func(w *world) {
			old := w.at(w.tenant, "web", &corev1.Service{}).(*corev1.Service)
			w.delete(old)
			w.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "web"},
				Spec: corev1.ServiceSpec{Selector: old.Spec.Selector, Ports: []corev1.ServicePort{{Name: "http", Port: 81}}}})
		}, "Service web has another ClusterIP or port"},
		"the Service without a selector": {func(w *world) {
			svc := w.at(w.tenant, "web", &corev1.Service{}).(*corev1.Service)
			before := svc.DeepCopy()
			svc.Spec.Selector = nil
			if err := w.api.Patch(w.Context(), svc, client.MergeFrom(before)); err != nil {
				w.Fatal(err)
			}
		}, "Service web has no selector"},
	} {
		for _, verdict := range []report.Verdict{report.Pass, report.Fail} {
			t.Run(name+"/"+string(verdict), func(t *testing.T) {
				demandInconclusive(newWorld(t), verdict, c.change, c.says)
			})
		}
	}
}

// demandInconclusive demands that no pair of a run has this verdict if the ClusterIP changes before the prober of kn2
// reports it, and that PathHealthy says why.
func demandInconclusive(w *world, verdict report.Verdict, change func(*world), says string) {
	w.Helper()
	w.pod("web-1", "kn1", "10.244.1.5")
	w.cast.acts["kn2"] = func(cast *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
		change(w)
		if verdict == report.Fail {
			return finds("SequenceWrap", report.SequenceZeroDropped)(cast, pod, p, node)
		}
		return cast.exit(pod, string(controllertest.PassingSummary(p, node).Encode()))
	}
	done := w.drive(w.manager(w.api), w.probe(controllertest.ThroughClusterIP), over(1))
	message := w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, says) || done.Status.Pairs.Inconclusive != 3 ||
		verdict == report.Pass && !strings.Contains(message, "not counted as Pass") {
		w.Errorf("%+v, %q; want %q", done.Status.Pairs, message, says)
	}
}

// TestSliceEditedInTheQueue: a pod whose turn comes late does not go through a ClusterIP that leads elsewhere by then.
func TestSliceEditedInTheQueue(t *testing.T) {
	w := newWorld(t)
	pod := w.pod("web-1", "kn1", "10.244.1.5")
	p, r := w.probe(controllertest.ThroughClusterIP), w.manager(w.api, func(c *Config) { c.Caps.Total = 0 })
	w.pass(r, p)
	w.create(controllertest.Slice(w.tenant, "web", "-more", refTo(pod), "192.168.7.2"))
	w.clock.Step(11 * time.Second)
	r.allowPods(limits.DefaultCaps)
	done := w.drive(r, p, func(p *v1alpha1.TCPProbe) bool { return p.Status.LastRun != nil })
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	if n := w.cast.once(); n != 0 {
		t.Errorf("%d probers ran", n)
	}
}

func TestServicesWithoutAClusterIP(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	for name, spec := range map[string]corev1.ServiceSpec{
		"headless": {ClusterIP: corev1.ClusterIPNone},
		"local":    {InternalTrafficPolicy: ptr.To(corev1.ServiceInternalTrafficPolicyLocal)},
	} {
		spec.Selector, spec.Ports = map[string]string{"app": "web"}, []corev1.ServicePort{{Name: "http", Port: 80}}
		w.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: name}, Spec: spec})
		p := w.probe(controllertest.ThroughClusterIP, func(p *v1alpha1.TCPProbe) {
			p.Name, p.Spec.Target.Service.Name = name,
				name
		})
		w.refuses(w.manager(w.api), p, v1alpha1.ReasonNoClusterIP, "use via PodIP")
	}
}

// TestClusterIPWithoutServingPods waits, as for any Service without ready pods.
func TestClusterIPWithoutServingPods(t *testing.T) {
	w := newWorld(t)
	pod := w.pod("web-1", "kn1", "10.244.1.5")
	pod.Status.Conditions = nil
	if err := w.api.Status().Update(w.Context(), pod); err != nil {
		t.Fatal(err)
	}
	p := w.probe(controllertest.ThroughClusterIP)
	w.pass(w.manager(w.api), p)
	message := w.condition(w.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonNoEndpoints)
	if !strings.Contains(message, "none of the 1 endpoints of Service web is Ready") {
		t.Errorf("message %q", message)
	}
}
