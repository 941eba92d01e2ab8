package target

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// allowing is a change of the cluster: an administrator lets the namespace shop probe these ranges.
func allowing(ranges string) func(client.Object) {
	return of("shop", func(n *corev1.Namespace) {
		n.Annotations = map[string]string{v1alpha1.AllowedCIDRsAnnotation: ranges}
	})
}

// podCIDR is a change of the cluster: the node kn1 has a range for pods.
var podCIDR = of("kn1", func(n *corev1.Node) { n.Spec.PodCIDR = "10.244.1.0/24" })

// clusterIPRecord is what the API server keeps of a Service's ClusterIP.
func clusterIPRecord(address string) *networkingv1.IPAddress {
	return &networkingv1.IPAddress{ObjectMeta: metav1.ObjectMeta{Name: address}}
}

const everyRange = "0.0.0.0/0, ::/0"

// addressOf reads what target.address leads to, with every range allowed by the manager's ceiling.
func addressOf(t *testing.T, r *Resolver, ip string) (Endpoint, error) {
	t.Helper()
	r.Allow.Addresses, _ = ParseRanges(everyRange)
	nodes, err := r.nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.address(t.Context(), "shop", &v1alpha1.AddressTarget{IP: ip, Port: 443}, nodes)
}

func TestAddressesThatMayBeProbed(t *testing.T) {
	r, _ := resolverOf(append(shop(allowing(everyRange), podCIDR), clusterIPRecord("10.96.0.7"))...)
	for _, ip := range []string{"10.1.2.3", "fd00:1::1", "64:ff9b::a01:203", "10.96.0.8", "10.244.2.1", "192.168.7.4"} {
		e, err := addressOf(t, r, ip)
		want := Endpoint{Via: v1alpha1.ViaAddress, Address: netip.MustParseAddr(ip), Port: 443}
		if err != nil || e != want {
			t.Errorf("%s: %+v, %v", ip, e, err)
		}
	}
}

func TestAddressesOfTheClusterAreRefused(t *testing.T) {
	r, _ := resolverOf(append(shop(allowing(everyRange), podCIDR), clusterIPRecord("10.96.0.7"))...)
	const podRange = " is in the pod range of node kn1, where nobody but a Pod confirms whose it is; " +
		"name its Service as target.service"
	const clusterIP = " is the ClusterIP of a Service; name that as target.service, via ClusterIP"
	for ip, want := range map[string]string{
		"192.168.7.2":           "192.168.7.2 is never probed: it belongs to node kn2",
		"64:ff9b::c0a8:702":     "192.168.7.2 is never probed: it belongs to node kn2",
		"10.99.0.1":             "10.99.0.1 is never probed: it belongs to the API server",
		"10.96.0.1":             "10.96.0.1 is never probed: it belongs to the API server",
		"10.244.9.1":            "10.244.9.1 is never probed: it belongs to the operator itself",
		"10.244.9.2":            "10.244.9.2 is never probed: it belongs to the operator itself",
		"10.244.1.9":            "10.244.1.9" + podRange,
		"64:ff9b::af4:109":      "10.244.1.9" + podRange,
		"10.96.0.7":             "10.96.0.7" + clusterIP,
		"2002:a60:7::1":         "10.96.0.7" + clusterIP,
		"127.0.0.1":             "127.0.0.1 is an address that is never probed (loopback)",
		"kn1.example.test":      `target.address.ip "kn1.example.test" is no IP address`,
		strings.Repeat("1", 48): `target.address.ip "` + strings.Repeat("1", 48) + `" is no IP address`,
		strings.Repeat("1", 49): `target.address.ip "` + strings.Repeat("1", 45) + `…" is no IP address`,
	} {
		e, err := addressOf(t, r, ip)
		expectError(t, err, "AddressDenied: "+want)
		if e != (Endpoint{}) {
			t.Errorf("%s is refused and yet %+v", ip, e)
		}
	}
}

// TestAnAddressIsAllowedTwice: by the manager's ceiling, and by the annotation of the Namespace.
func TestAnAddressIsAllowedTwice(t *testing.T) {
	target := &v1alpha1.AddressTarget{IP: "10.1.2.3", Port: 443}
	for _, c := range []struct{ ceiling, annotation, want string }{
		{"10.1.0.0/16", "10.1.2.0/24", ""},
		{"10.2.0.0/16", "10.1.2.0/24", "AddressNotAllowed: 10.1.2.3 is in none of the ranges of " +
			"the manager's --address-ceiling, which the administrator sets; it has: 10.2.0.0/16"},
		{"10.1.0.0/16", "10.1.3.0/24", "AddressNotAllowed: 10.1.2.3 is in none of the ranges of " +
			"the annotation tcpprobe.dev/allowed-cidrs of Namespace shop, which an administrator sets; it has: 10.1.3.0/24"},
		{"10.1.0.0/16", "10.1.2.3", "AddressNotAllowed: the annotation tcpprobe.dev/allowed-cidrs of Namespace shop: " +
			`"10.1.2.3" is no range; write one such as 10.1.0.0/16, or 10.1.2.3/32 for one address; ` +
			"an administrator has to correct it"},
	} {
		r, _ := resolverOf(shop(allowing(c.annotation))...)
		r.Allow.Addresses, _ = ParseRanges(c.ceiling)
		_, err := r.address(t.Context(), "shop", target, nil)
		expectError(t, err, c.want)
	}
}

// TestWhatNobodyCanAllowIsSaidFirst: an administrator is not asked for ranges that would not help.
func TestWhatNobodyCanAllowIsSaidFirst(t *testing.T) {
	r, _ := resolverOf(append(shop(podCIDR), clusterIPRecord("10.96.0.7"))...)
	nodes, err := r.nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]string{"192.168.7.2": "AddressDenied: ", "10.96.0.7": "AddressDenied: ",
		"10.99.0.1": "AddressDenied: ", "10.244.1.9": "AddressDenied: ", "127.0.0.1": "AddressDenied: ",
		"10.1.2.3": "AddressNotAllowed: "} {
		_, err := r.address(t.Context(), "shop", &v1alpha1.AddressTarget{IP: ip, Port: 443}, nodes)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v; want %s", ip, err, want)
		}
	}
}

// TestAnAddressIsNotProbedIfTheClusterCannotBeRead: each read of the cluster may find what refuses the address.
func TestAnAddressIsNotProbedIfTheClusterCannotBeRead(t *testing.T) {
	for call, want := range map[string]string{
		"PartialObjectMetadata shop": "error: read Namespace shop: the API server is down",
		apiSlices:                    "error: list the EndpointSlices of Service default/kubernetes: the API server is down",
		"Service default/kubernetes": "error: read Service default/kubernetes: the API server is down",
		"PodList tcpprobe-system":    "error: list the pods of namespace tcpprobe-system: the API server is down",
		"PodList tcpprobe-probes":    "error: list the pods of namespace tcpprobe-probes: the API server is down",
		"IPAddress 10.1.2.3":         "error: read IPAddress 10.1.2.3: the API server is down",
	} {
		r, calls := resolverOf(shop(allowing(everyRange))...)
		calls.fail(call)
		e, err := addressOf(t, r, "10.1.2.3")
		expectError(t, err, want)
		if e != (Endpoint{}) {
			t.Errorf("%s failed, and yet %+v", call, e)
		}
	}
}
