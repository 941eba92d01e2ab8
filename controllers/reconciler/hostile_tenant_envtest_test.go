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

// attempt is one way in which a tenant may try to have something probed that the tenant must not probe. It uses only
// what a tenant can create in the tenant's own namespace.
type attempt struct {
	prepare func(*testEnv)
	spec    func(*testEnv, *v1alpha1.TCPProbeSpec)
	reason  string
	says    string
}

// service creates a Service in the tenant's namespace.
func (env *testEnv) service(name string, spec corev1.ServiceSpec) {
	env.Helper()
	if spec.Ports == nil {
		spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}}
	}
	env.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: name}, Spec: spec})
}

// toService targets this Service of the tenant.
func toService(service string, via ...v1alpha1.Via) func(*testEnv, *v1alpha1.TCPProbeSpec) {
	return func(_ *testEnv, s *v1alpha1.TCPProbeSpec) {
		s.Target.Service = &v1alpha1.ServiceTarget{Name: service, Via: via}
	}
}

// inNamespace targets a Service of another namespace.
func inNamespace(namespace, service string) func(*testEnv, *v1alpha1.TCPProbeSpec) {
	return func(_ *testEnv, s *v1alpha1.TCPProbeSpec) {
		s.Target.Service = &v1alpha1.ServiceTarget{Name: service, Namespace: namespace}
	}
}

func toAddress(ip string, port int32) func(*testEnv, *v1alpha1.TCPProbeSpec) {
	return func(_ *testEnv, s *v1alpha1.TCPProbeSpec) {
		s.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: ip, Port: port}}
	}
}

// forgeSlice creates a slice of Service web with this address. It claims that the tenant's pod has the address.
func forgeSlice(address string) func(*testEnv) {
	return func(env *testEnv) {
		mine := env.barePod("mine", "")
		env.startPod(mine, "10.244.1.77")
		env.create(controllertest.Slice(env.tenant, "web", "-forged", refTo(mine), address))
	}
}

var attempts = map[string]attempt{
	"another namespace": {spec: inNamespace("kube-system", "kube-dns"), reason: v1alpha1.ReasonConsentMissing,
		says: "namespace kube-system has no Service kube-dns that may be probed from namespace"},
	"consent on the tenant's own Service": {
		prepare: func(env *testEnv) { env.annotateService(v1alpha1.AllowFromAnnotation, "kube-system") },
		spec:    inNamespace("kube-system", "web"), reason: v1alpha1.ReasonConsentMissing,
		says: "whoever owns it can allow that"},
	"the API server by its Service": {spec: inNamespace("default", "kubernetes"),
		reason: v1alpha1.ReasonKubernetesService, says: "the API server, which is never probed"},
	"the API server by a slice": {prepare: forgeSlice(apiServerAddress), spec: toService("web"),
		reason: v1alpha1.ReasonEndpointsRefused, says: "10.99.0.1:8080: it belongs to the API server"},
	"the API server by its address": {spec: toAddress(apiServerAddress, 6443), reason: v1alpha1.ReasonAddressDenied,
		says: "belongs to the API server"},
	"a kubelet by a slice": {prepare: forgeSlice("192.168.7.2"), spec: toService("web"),
		reason: v1alpha1.ReasonEndpointsRefused, says: "it belongs to node kn2"},
	"a kubelet by its address": {spec: toAddress("192.168.7.2", 10250), reason: v1alpha1.ReasonAddressDenied,
		says: "belongs to node kn2"},
	"a kubelet through a ClusterIP": {prepare: forgeSlice("192.168.7.2"), spec: toService("web", v1alpha1.ViaClusterIP),
		reason: v1alpha1.ReasonEndpointsRefused, says: "192.168.7.2 behind it: it belongs to node kn2"},
	"metadata by a slice": {prepare: forgeSlice("100.100.100.200"), spec: toService("web"),
		reason: v1alpha1.ReasonEndpointsRefused, says: "cloud metadata"},
	"metadata by its address": {spec: toAddress("169.254.169.254", 80), reason: v1alpha1.ReasonAddressDenied,
		says: "cloud metadata"},
	"an address outside the Namespace's ranges": {
		spec: toAddress("10.51.0.1", 443), reason: v1alpha1.ReasonAddressNotAllowed,
		says: "the annotation tcpprobe.dev/allowed-cidrs of Namespace"},
	"an address above the ceiling": {spec: toAddress("203.0.113.9", 443), reason: v1alpha1.ReasonAddressNotAllowed,
		says: "the manager's --address-ceiling"},
	"a pod on the host network": {
		prepare: func(env *testEnv) {
			mine := env.barePod("mine", "")
			mine.Spec.HostNetwork = true
			env.startPod(mine, "192.168.7.3")
			env.create(controllertest.Slice(env.tenant, "web", "-mine", refTo(mine), "192.168.7.3"))
		},
		spec: toService("web"), reason: v1alpha1.ReasonEndpointsRefused, says: "it belongs to node kn3"},
	"a pod on the host network of a node that hides its address": {
		prepare: func(env *testEnv) {
			mine := env.barePod("mine", "")
			mine.Spec.HostNetwork = true
			env.startPod(mine, "10.244.1.77")
			env.create(controllertest.Slice(env.tenant, "web", "-mine", refTo(mine), "10.244.1.77"))
		},
		spec: toService("web"), reason: v1alpha1.ReasonEndpointsRefused, says: "its Pod is on the host network"},
	"the nodes' own network": {
		spec: func(_ *testEnv, s *v1alpha1.TCPProbeSpec) {
			s.Target.Service, s.Sources.Network = &v1alpha1.ServiceTarget{Name: "web"}, v1alpha1.NetworkHost
		},
		reason: v1alpha1.ReasonHostNetworkDenied, says: "use network Pod, or have the manager started with --host-network"},
	"a Service without a selector": {
		prepare: func(env *testEnv) {
			env.service("free", corev1.ServiceSpec{})
			env.create(controllertest.Slice(env.tenant, "free", "-x", nil, "10.51.0.1"))
		},
		spec: toService("free"), reason: v1alpha1.ReasonNoSelector,
		says: "nothing proves that its endpoints are yours; name a Service with a selector"},
	"a Service of type ExternalName": {
		prepare: func(env *testEnv) {
			env.service("out", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "victim.example.test"})
		},
		spec: toService("out"), reason: v1alpha1.ReasonExternalName,
		says: "leads out of the cluster; name a Service with a selector"},
	"a pod that the Service does not select": {
		prepare: func(env *testEnv) {
			stranger := env.barePod("stranger", "")
			stranger.Labels = map[string]string{"app": "db"}
			env.startPod(stranger, "10.244.1.80")
			env.create(controllertest.Slice(env.tenant, "web", "-stranger", refTo(stranger), "10.244.1.80"))
		},
		spec: toService("web"), reason: v1alpha1.ReasonEndpointsRefused,
		says: "its Pod does not match the Service's selector"},
	"another tenant's pod": {
		prepare: func(env *testEnv) {
			victim := env.barePod("victim", "")
			victim.Namespace = env.namespace("victim-")
			env.startPod(victim, "10.244.1.81")
			env.create(controllertest.Slice(env.tenant, "web", "-victim", refTo(victim), "10.244.1.81"))
		},
		spec: toService("web"), reason: v1alpha1.ReasonEndpointsRefused, says: ", not in the Service's"},
	"a slice of DNS names": {
		prepare: func(env *testEnv) {
			s := controllertest.Slice(env.tenant, "web", "-names", nil, "victim.example.test")
			s.AddressType = discoveryv1.AddressTypeFQDN
			env.create(s)
		},
		spec: toService("web", v1alpha1.ViaClusterIP), reason: v1alpha1.ReasonEndpointsRefused, says: "it is no IP address"},
	"past the tenant's own egress policy": {
		prepare: func(env *testEnv) {
			env.create(&networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: "locked"},
				Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}}})
		},
		spec: func(env *testEnv, s *v1alpha1.TCPProbeSpec) {
			friend := env.namespace("friend-")
			env.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: friend, Name: "web",
				Annotations: map[string]string{v1alpha1.AllowFromAnnotation: env.tenant}},
				Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}}})
			inNamespace(friend, "web")(env, s)
		}, reason: v1alpha1.ReasonEgressPolicy, says: "NetworkPolicy locked restricts egress"},
}

// TestHostileTenant: every attempt is refused with a message that says what to do, and nothing is sent.
func TestHostileTenant(t *testing.T) {
	for name, a := range attempts {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			env.allowRanges("10.50.0.0/24, 10.99.0.0/16, 192.168.0.0/16, 169.254.0.0/16, 203.0.113.0/24")
			r := env.managerWithCeiling("10.0.0.0/8", "192.168.0.0/16", "169.254.0.0/16")
			if a.prepare != nil {
				a.prepare(env)
			}
			p := env.probe(func(p *v1alpha1.TCPProbe) { a.spec(env, &p.Spec) })
			env.reconcile(r, p)
			conditions := env.get(p).Status.Conditions
			if !slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
				return c.Status != metav1.ConditionTrue && c.Reason == a.reason && strings.Contains(c.Message, a.says)
			}) {
				t.Errorf("no condition is %s and says %q: %+v", a.reason, a.says, conditions)
			}
			env.requireNothingLeft()
		})
	}
}

// TestGreedyTenant asks for as much as the API server accepts, in many TCPProbes: most flows, highest rate, most nodes
// and endpoints, longest time.
func TestGreedyTenant(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.keepProbersRunning()
	r := env.manager(env.api)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		p := env.probe(func(p *v1alpha1.TCPProbe) {
			p.Name, p.Spec.Paths, p.Spec.PacketsPerSecond = name, 256, 2000
			p.Spec.Sources.Max, p.Spec.Target.Service.MaxEndpoints, p.Spec.Run.DeadlineSeconds = 1000, 64, 3600
		})
		env.reconcile(r, p)
		env.clock.Step(statusPace) // one starts after the other
	}
	held := limits.OccupancyOf(env.proberPods())
	env.requireCaps(limits.DefaultCaps)
	if most := slices.Max(slices.Collect(maps.Values(held.ToTarget))); most != 4000 {
		t.Errorf("%d packets a second to one target; want 4000, which another pod of 2000 would bring above half of what "+
			"there is", most)
	}
	complete := func(name string) *metav1.Condition {
		p := env.reconcileAndGet(r, &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: env.tenant, Name: name}})
		return meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionComplete)
	}
	const why = "because this namespace's packets a second to one target (half of 10000 at most) are taken"
	if next := complete("b"); !strings.Contains(next.Message, why) {
		t.Errorf("the next of them: %s", describe(next))
	}
	if last := complete("h"); last.Reason != v1alpha1.ReasonQueued || !strings.Contains(last.Message, why) {
		t.Errorf("the last of them: %s", describe(last))
	}
	for _, configMap := range env.plans() {
		rp, err := runplan.Decode(configMap.Data[runplan.KeyPlan], configMap.Data[runplan.KeySnapshot])
		if err != nil {
			t.Fatal(err)
		}
		if p := rp.Plan; p.Paths > 256 || p.PacketsPerSecond > 2000 || p.DeadlineSeconds > 3600 || rp.Pairs() != 6 {
			t.Errorf("%d paths, %d packets a second, %d s, %d pairs", p.Paths, p.PacketsPerSecond, p.DeadlineSeconds, rp.Pairs())
		}
	}
}
