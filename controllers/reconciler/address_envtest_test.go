//go:build envtest

package reconciler

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
)

// allowsRanges gives the tenant's Namespace its annotation, as an administrator would.
func (w *world) allowsRanges(value string) {
	w.Helper()
	ns := w.at("", w.tenant, &corev1.Namespace{}).(*corev1.Namespace)
	before := ns.DeepCopy()
	metav1.SetMetaDataAnnotation(&ns.ObjectMeta, v1alpha1.AllowedCIDRsAnnotation, value)
	if err := w.api.Patch(w.Context(), ns, client.MergeFrom(before)); err != nil {
		w.Fatal(err)
	}
}

// at reads an object.
func (w *world) at(namespace, name string, o client.Object) client.Object {
	w.Helper()
	if err := w.api.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o); err != nil {
		w.Fatal(err)
	}
	return o
}

// addressed is a TCPProbe of an address.
func (w *world) addressed(name, ip string) *v1alpha1.TCPProbe {
	w.Helper()
	return w.probe(func(p *v1alpha1.TCPProbe) {
		p.Name, p.Spec.Target = name, v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: ip, Port: 443}}
	})
}

// ceiling is a manager with these ranges as its ceiling.
func (w *world) ceiling(ranges ...string) *Reconciler { return w.manager(w.api, ceiling(ranges...)) }

func ceiling(ranges ...string) func(*Config) {
	return func(c *Config) {
		for _, text := range ranges {
			c.Allow.Addresses = append(c.Allow.Addresses, netip.MustParsePrefix(text))
		}
	}
}

// TestAddressIsAllowedTwice: by the manager's ceiling and by the Namespace, by degrees.
func TestAddressIsAllowedTwice(t *testing.T) {
	w := newWorld(t)
	p := w.addressed("outside", "10.50.0.9")
	w.refuses(w.ceiling(), p, v1alpha1.ReasonAddressNotAllowed,
		"10.50.0.9 is in none of the ranges of the manager's --address-ceiling, which the administrator sets; it has: none")
	w.refuses(w.ceiling("10.51.0.0/16"), p, v1alpha1.ReasonAddressNotAllowed, "it has: 10.51.0.0/16")
	r := w.ceiling("10.50.0.0/16")
	w.refuses(r, p, v1alpha1.ReasonAddressNotAllowed,
		"the annotation tcpprobe.dev/allowed-cidrs of Namespace "+w.tenant+", which an administrator sets; it has: none")
	w.allowsRanges("10.50.1.0/24")
	w.refuses(r, p, v1alpha1.ReasonAddressNotAllowed, "it has: 10.50.1.0/24")
	w.allowsRanges("10.50.0.0/24, everything")
	w.refuses(r, p, v1alpha1.ReasonAddressNotAllowed,
		`"everything" is no range; write one such as 10.1.0.0/16, or 10.1.2.3/32 for one address; `+
			`an administrator has to correct it`)
	w.allowsRanges("10.50.0.0/24")
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if s := done.Status; s.Target != "10.50.0.9:443" || s.Affected != "0/3" {
		t.Errorf("status %+v", s)
	}
	w.empty()
}

// TestAddressesThatNobodyMayAllow: an administrator who allows everything still does not allow these.
func TestAddressesThatNobodyMayAllow(t *testing.T) {
	w := newWorld(t)
	w.allowsRanges("0.0.0.0/0, ::/0")
	r := w.ceiling("0.0.0.0/0", "::/0")
	web := w.at(w.tenant, "web", &corev1.Service{}).(*corev1.Service)
	server := w.at("default", "kubernetes", &corev1.Service{}).(*corev1.Service)
	ranged := controllertest.Node("kn-ranged", "192.168.7.99")
	ranged.Spec.PodCIDR = "10.244.99.0/24"
	w.create(ranged)
	defer w.delete(ranged) // all tests share the nodes
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
		w.refuses(r, w.addressed(name, c.ip), v1alpha1.ReasonAddressDenied, c.says)
	}
}

func TestOwnPodsAreNoAddress(t *testing.T) {
	w := newWorld(t)
	w.allowsRanges("10.60.0.0/16")
	own := w.namespace("system-")
	r := w.manager(w.api, ceiling("10.60.0.0/16"), func(c *Config) { c.Own.Manager = own })
	pod := w.barePod("manager", "")
	pod.Namespace = own
	w.start(pod, "10.60.0.7")
	w.refuses(r, w.addressed("manager", "10.60.0.7"), v1alpha1.ReasonAddressDenied, "it belongs to the operator itself")
}

// TestAddressForbiddenInTheQueue: a pod whose turn comes late asks again.
func TestAddressForbiddenInTheQueue(t *testing.T) {
	w := newWorld(t)
	w.allowsRanges("10.50.0.0/24")
	p := w.addressed("outside", "10.50.0.9")
	r := w.manager(w.api, ceiling("10.50.0.0/16"), func(c *Config) { c.Caps.Total = 0 })
	w.pass(r, p)
	w.allowsRanges("")
	w.clock.Step(11 * time.Second)
	r.allowPods(limits.DefaultCaps)
	done := w.drive(r, p, func(p *v1alpha1.TCPProbe) bool { return p.Status.LastRun != nil })
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonAddressNotAllowed)
	if n := w.cast.once(); n != 0 || !strings.Contains(message, "allowed-cidrs") {
		t.Errorf("%d probers ran; %q", n, message)
	}
}
