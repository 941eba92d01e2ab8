//go:build envtest

package reconciler

import (
	"maps"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// allowRanges sets the annotation of the tenant's Namespace, as an administrator would.
func (env *testEnv) allowRanges(value string) {
	env.Helper()
	env.annotate(env.read("", env.tenant, &corev1.Namespace{}), v1alpha1.AllowedCIDRsAnnotation, value)
}

// annotate sets an annotation of an object.
func (env *testEnv) annotate(o client.Object, key, value string) {
	env.Helper()
	before := o.DeepCopyObject().(client.Object)
	annotations := maps.Clone(o.GetAnnotations())
	if annotations == nil {
		annotations = make(map[string]string)
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
	if err := env.api.Patch(env.Context(), o, client.MergeFrom(before)); err != nil {
		env.Fatal(err)
	}
}

// read reads an object.
func (env *testEnv) read(namespace, name string, o client.Object) client.Object {
	env.Helper()
	if err := env.api.Get(env.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o); err != nil {
		env.Fatal(err)
	}
	return o
}

// addressProbe is a TCPProbe of an address.
func (env *testEnv) addressProbe(name, ip string) *v1alpha1.TCPProbe {
	env.Helper()
	return env.probe(func(p *v1alpha1.TCPProbe) {
		p.Name, p.Spec.Target = name, v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: ip, Port: 443}}
	})
}

// managerWithCeiling is a manager with these ranges as its ceiling.
func (env *testEnv) managerWithCeiling(ranges ...string) *Reconciler {
	return env.manager(env.api, ceiling(ranges...))
}

func ceiling(ranges ...string) func(*Config) {
	return func(c *Config) {
		for _, text := range ranges {
			c.Allow.Addresses = append(c.Allow.Addresses, netip.MustParsePrefix(text))
		}
	}
}

// TestAddressIsAllowedTwice: both the manager's ceiling and the Namespace have to allow the address.
func TestAddressIsAllowedTwice(t *testing.T) {
	env := newTestEnv(t)
	p := env.addressProbe("outside", "10.50.0.9")
	env.requireRefused(env.managerWithCeiling(), p, v1alpha1.ReasonAddressNotAllowed,
		"10.50.0.9 is in none of the ranges of the manager's --address-ceiling, which the administrator sets; it has: none")
	env.requireRefused(env.managerWithCeiling("10.51.0.0/16"), p, v1alpha1.ReasonAddressNotAllowed, "it has: 10.51.0.0/16")
	r := env.managerWithCeiling("10.50.0.0/16")
	env.requireRefused(r, p, v1alpha1.ReasonAddressNotAllowed,
		"the annotation tcpprobe.dev/allowed-cidrs of Namespace "+env.tenant+", which an administrator sets; it has: none")
	env.allowRanges("10.50.1.0/24")
	env.requireRefused(r, p, v1alpha1.ReasonAddressNotAllowed, "it has: 10.50.1.0/24")
	env.allowRanges("10.50.0.0/24, everything")
	env.requireRefused(r, p, v1alpha1.ReasonAddressNotAllowed,
		`"everything" is no range; write one such as 10.1.0.0/16, or 10.1.2.3/32 for one address; `+
			`an administrator has to correct it`)
	env.allowRanges("10.50.0.0/24")
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if s := done.Status; s.Target != "10.50.0.9:443" || s.Affected != "0/3" {
		t.Errorf("status %+v", s)
	}
	env.requireNothingLeft()
}

// TestAddressesThatNobodyMayAllow: these addresses are denied even if the administrator allows all ranges.
func TestAddressesThatNobodyMayAllow(t *testing.T) {
	env := newTestEnv(t)
	env.allowRanges("0.0.0.0/0, ::/0")
	r := env.managerWithCeiling("0.0.0.0/0", "::/0")
	web := env.read(env.tenant, "web", &corev1.Service{}).(*corev1.Service)
	server := env.read("default", "kubernetes", &corev1.Service{}).(*corev1.Service)
	ranged := controllertest.Node("kn-ranged", "192.168.7.99")
	ranged.Spec.PodCIDR = "10.244.99.0/24"
	env.create(ranged)
	defer env.delete(ranged) // all tests share the nodes
	for name, c := range map[string]struct{ ip, says string }{
		"loopback":      {"127.0.0.1", "never probed (loopback)"},
		"link-local":    {"fe80::1", "never probed (link-local)"},
		"metadata":      {"169.254.169.254", "never probed (link-local or cloud metadata)"},
		"metadata-6":    {"fd00:ec2::254", "never probed (cloud metadata)"},
		"multicast":     {"224.0.0.1", "never probed (multicast)"},
		"unspecified":   {"0.0.0.0", "never probed (unspecified)"},
		"broadcast":     {"255.255.255.255", "never probed (broadcast)"},
		"api-server":    {apiServerAddress, "belongs to the API server"},
		"api-service":   {server.Spec.ClusterIP, "belongs to the API server"},
		"kubelet":       {"192.168.7.2", "belongs to node kn2"},
		"kubelet-nat64": {"64:ff9b::c0a8:702", "belongs to node kn2"},
		"node-to-pods":  {"10.244.99.1", "in the pod range of node kn-ranged"},
		"pods-nat64":    {"64:ff9b::af4:6301", "10.244.99.1 is in the pod range of node kn-ranged"},
		"cluster-ip":    {web.Spec.ClusterIP, "is the ClusterIP of a Service; name that as target.service"},
	} {
		env.requireRefused(r, env.addressProbe(name, c.ip), v1alpha1.ReasonAddressDenied, c.says)
	}
}

func TestOwnPodsAreNoAddress(t *testing.T) {
	env := newTestEnv(t)
	env.allowRanges("10.60.0.0/16")
	own := env.namespace("system-")
	r := env.manager(env.api, ceiling("10.60.0.0/16"), func(c *Config) { c.Own.Manager = own })
	pod := env.barePod("manager", "")
	pod.Namespace = own
	env.startPod(pod, "10.60.0.7")
	env.requireRefused(r, env.addressProbe("manager", "10.60.0.7"), v1alpha1.ReasonAddressDenied,
		"it belongs to the operator itself")
}

// TestAddressForbiddenInTheQueue: a pod that waited long is released only if the address is still allowed.
func TestAddressForbiddenInTheQueue(t *testing.T) {
	env := newTestEnv(t)
	env.allowRanges("10.50.0.0/24")
	p := env.addressProbe("outside", "10.50.0.9")
	r := env.manager(env.api, ceiling("10.50.0.0/16"), func(c *Config) { c.Caps.Total = 0 })
	env.reconcile(r, p)
	env.allowRanges("")
	message := env.requireNotReleased(r, p, v1alpha1.ReasonAddressNotAllowed)
	if !strings.Contains(message, "allowed-cidrs") {
		t.Errorf("message %q", message)
	}
}
