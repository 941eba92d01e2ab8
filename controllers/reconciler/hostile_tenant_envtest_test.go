//go:build envtest

package reconciler

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// attempt is one way in which a tenant may try to turn the operator's power on what is not his, with what he can make
// in his own namespace.
type attempt struct {
	prepare func(*world)
	spec    func(*world, *v1alpha1.TCPProbeSpec)
	reason  string
	says    string
}

// service makes a Service of this spec in the tenant's namespace.
func (w *world) service(name string, spec corev1.ServiceSpec) {
	w.Helper()
	if spec.Ports == nil {
		spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}}
	}
	w.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: name}, Spec: spec})
}

// naming has the spec name this Service of the tenant's.
func naming(service string, via ...v1alpha1.Via) func(*world, *v1alpha1.TCPProbeSpec) {
	return func(_ *world, s *v1alpha1.TCPProbeSpec) {
		s.Target.Service = &v1alpha1.ServiceTarget{Name: service, Via: via}
	}
}

// abroad has the spec name a Service of another namespace.
func abroad(namespace, service string) func(*world, *v1alpha1.TCPProbeSpec) {
	return func(_ *world, s *v1alpha1.TCPProbeSpec) {
		s.Target.Service = &v1alpha1.ServiceTarget{Name: service, Namespace: namespace}
	}
}

func toAddress(ip string, port int32) func(*world, *v1alpha1.TCPProbeSpec) {
	return func(_ *world, s *v1alpha1.TCPProbeSpec) {
		s.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: ip, Port: port}}
	}
}

// forging makes a slice of Service web with this address, which claims that the tenant's pod has it.
func forging(address string) func(*world) {
	return func(w *world) {
		mine := w.barePod("mine", "")
		w.start(mine, "10.244.1.77")
		w.create(controllertest.Slice(w.tenant, "web", "-forged", refTo(mine), address))
	}
}

var attempts = map[string]attempt{
	"another namespace": {spec: abroad("kube-system", "kube-dns"), reason: v1alpha1.ReasonConsentMissing,
		says: "namespace kube-system has no Service kube-dns that may be probed from namespace"},
	"his own word for a consent": {
		prepare: func(w *world) { w.annotates(v1alpha1.AllowFromAnnotation, "kube-system") },
		spec:    abroad("kube-system", "web"), reason: v1alpha1.ReasonConsentMissing, says: "whoever owns it can allow that"},
	"the API server by its Service": {spec: abroad("default", "kubernetes"), reason: v1alpha1.ReasonConsentMissing,
		says: "may be probed"},
	"the API server by a slice": {prepare: forging(apiServerAddress), spec: naming("web"),
		reason: v1alpha1.ReasonEndpointsRefused, says: "10.99.0.1:8080: it belongs to the API server"},
	"the API server by its address": {spec: toAddress(apiServerAddress, 6443), reason: v1alpha1.ReasonAddressDenied,
		says: "belongs to the API server"},
	"a kubelet by a slice": {prepare: forging("192.168.7.2"), spec: naming("web"),
		reason: v1alpha1.ReasonEndpointsRefused, says: "it belongs to node kn2"},
	"a kubelet by its address": {spec: toAddress("192.168.7.2", 10250), reason: v1alpha1.ReasonAddressDenied,
		says: "belongs to node kn2"},
	"a kubelet through a ClusterIP": {prepare: forging("192.168.7.2"), spec: naming("web", v1alpha1.ViaClusterIP),
		reason: v1alpha1.ReasonEndpointsRefused, says: "192.168.7.2 behind it: it belongs to node kn2"},
	"metadata by a slice": {prepare: forging("100.100.100.200"), spec: naming("web"),
		reason: v1alpha1.ReasonEndpointsRefused, says: "cloud metadata"},
	"metadata by its address": {spec: toAddress("169.254.169.254", 80), reason: v1alpha1.ReasonAddressDenied,
		says: "cloud metadata"},
	"an address that is not his": {spec: toAddress("10.51.0.1", 443), reason: v1alpha1.ReasonAddressNotAllowed,
		says: "the annotation tcpprobe.dev/allowed-cidrs of Namespace"},
	"an address above the ceiling": {spec: toAddress("203.0.113.9", 443), reason: v1alpha1.ReasonAddressNotAllowed,
		says: "the manager's --address-ceiling"},
	"a pod on the host network": {
		prepare: func(w *world) {
			mine := w.barePod("mine", "")
			mine.Spec.HostNetwork = true
			w.start(mine, "192.168.7.3")
			w.create(controllertest.Slice(w.tenant, "web", "-mine", refTo(mine), "192.168.7.3"))
		},
		spec: naming("web"), reason: v1alpha1.ReasonEndpointsRefused, says: "it belongs to node kn3"},
	"a pod on the host network of a node that hides its address": {
		prepare: func(w *world) {
			mine := w.barePod("mine", "")
			mine.Spec.HostNetwork = true
			w.start(mine, "10.244.1.77")
			w.create(controllertest.Slice(w.tenant, "web", "-mine", refTo(mine), "10.244.1.77"))
		},
		spec: naming("web"), reason: v1alpha1.ReasonEndpointsRefused, says: "its Pod is on the host network"},
	"the nodes' own network": {
		spec: func(_ *world, s *v1alpha1.TCPProbeSpec) {
			s.Target.Service, s.Sources.Network = &v1alpha1.ServiceTarget{Name: "web"}, v1alpha1.NetworkHost
		},
		reason: v1alpha1.ReasonHostNetworkDenied, says: "use network Pod, or have the manager started with --host-network"},
	"a Service without a selector": {
		prepare: func(w *world) {
			w.service("free", corev1.ServiceSpec{})
			w.create(controllertest.Slice(w.tenant, "free", "-x", nil, "10.51.0.1"))
		},
		spec: naming("free"), reason: v1alpha1.ReasonNoSelector, says: "nothing proves that its endpoints are yours; " +
			"name a Service with a selector"},
	"a Service that leads out": {
		prepare: func(w *world) {
			w.service("out", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "victim.example.test"})
		},
		spec: naming("out"), reason: v1alpha1.ReasonExternalName, says: "leads out of the cluster; name a Service with a " +
			"selector"},
	"a pod that the Service does not select": {
		prepare: func(w *world) {
			stranger := w.barePod("stranger", "")
			stranger.Labels = map[string]string{"app": "db"}
			w.start(stranger, "10.244.1.80")
			w.create(controllertest.Slice(w.tenant, "web", "-stranger", refTo(stranger), "10.244.1.80"))
		},
		spec: naming("web"), reason: v1alpha1.ReasonEndpointsRefused, says: "its Pod does not match the Service's selector"},
	"another tenant's pod": {
		prepare: func(w *world) {
			victim := w.barePod("victim", "")
			victim.Namespace = w.namespace("victim-")
			w.start(victim, "10.244.1.81")
			w.create(controllertest.Slice(w.tenant, "web", "-victim", refTo(victim), "10.244.1.81"))
		},
		spec: naming("web"), reason: v1alpha1.ReasonEndpointsRefused, says: ", not in the Service's"},
	"a slice of names": {
		prepare: func(w *world) {
			s := controllertest.Slice(w.tenant, "web", "-names", nil, "victim.example.test")
			s.AddressType = discoveryv1.AddressTypeFQDN
			w.create(s)
		},
		spec: naming("web", v1alpha1.ViaClusterIP), reason: v1alpha1.ReasonEndpointsRefused, says: "it is no IP address"},
	"past his own egress policy": {
		prepare: func(w *world) {
			w.create(&networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "locked"},
				Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}}})
		},
		spec: func(w *world, s *v1alpha1.TCPProbeSpec) {
			friend := w.namespace("friend-")
			w.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: friend, Name: "web",
				Annotations: map[string]string{v1alpha1.AllowFromAnnotation: w.tenant}},
				Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}}})
			abroad(friend, "web")(w, s)
		}, reason: v1alpha1.ReasonEgressPolicy, says: "NetworkPolicy locked restricts egress"},
}

// TestHostileTenant: every attempt is refused in words that say what to do, and nothing is sent.
func TestHostileTenant(t *testing.T) {
	for name, a := range attempts {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.allowsRanges("10.50.0.0/24, 10.99.0.0/16, 192.168.0.0/16, 169.254.0.0/16, 203.0.113.0/24")
			r := w.ceiling("10.0.0.0/8", "192.168.0.0/16", "169.254.0.0/16")
			if a.prepare != nil {
				a.prepare(w)
			}
			p := w.probe(func(p *v1alpha1.TCPProbe) { a.spec(w, &p.Spec) })
			w.pass(r, p)
			c := meta.FindStatusCondition(w.get(p).Status.Conditions, v1alpha1.ConditionCovered)
			if c == nil || c.Status == metav1.ConditionTrue || c.Reason != a.reason || !strings.Contains(c.Message, a.says) {
				t.Errorf("Covered is %s; want %s that says %q", show(c), a.reason, a.says)
			}
			w.empty()
		})
	}
}

// TestGreedyTenant asks for as much as the API server accepts: most flows, highest rate, most nodes and endpoints,
// longest time, in as many TCPProbes as he likes.
func TestGreedyTenant(t *testing.T) {
	w := furnished(t)
	w.busy()
	r := w.manager(w.api)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		p := w.probe(func(p *v1alpha1.TCPProbe) {
			p.Name, p.Spec.Paths, p.Spec.PacketsPerSecond = name, 256, 2000
			p.Spec.Sources.Max, p.Spec.Target.Service.MaxEndpoints, p.Spec.Run.DeadlineSeconds = 1000, 64, 3600
		})
		w.pass(r, p)
		w.clock.Step(statusPace) // each comes after the one before
	}
	held := limits.OccupancyOf(w.proberPods())
	demandCaps(t, w, limits.DefaultCaps)
	if most := slices.Max(slices.Collect(maps.Values(held.ToTarget))); most != limits.DefaultCaps.TargetPackets {
		t.Errorf("%d packets a second to one target; want all of the %d that there are, and the others in the queue", most,
			limits.DefaultCaps.TargetPackets)
	}
	complete := func(name string) *metav1.Condition {
		p := w.look(r, &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: name}})
		return meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
	}
	const why = "because the 10000 packets a second that all probes may send to one target are taken"
	if next := complete("b"); !strings.Contains(next.Message, why) {
		t.Errorf("the next of them: %s", show(next))
	}
	if last := complete("h"); last.Reason != v1alpha1.ReasonQueued || !strings.Contains(last.Message, why) {
		t.Errorf("the last of them: %s", show(last))
	}
	for _, o := range w.plans() {
		f, err := runplan.Decode(o.Data[runplan.KeyPlan], o.Data[runplan.KeySnapshot])
		if err != nil {
			t.Fatal(err)
		}
		if p := f.Plan; p.Paths > 256 || p.PacketsPerSecond > 2000 || p.DeadlineSeconds > 3600 || f.Pairs() != 6 {
			t.Errorf("%d paths, %d packets a second, %d s, %d pairs", p.Paths, p.PacketsPerSecond, p.DeadlineSeconds, f.Pairs())
		}
	}
}
