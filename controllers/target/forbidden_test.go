package target

import (
	"maps"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestWhatIsForbidden: the API server, the nodes by every address, and the operator's own pods.
func TestWhatIsForbidden(t *testing.T) {
	r, _ := resolverOf(shop(of("kn1", func(n *corev1.Node) {
		n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Address: "fd00:7::1"},
			corev1.NodeAddress{Address: "kn1.example.test"})
	}))...)
	nodes, err := r.nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.forbidden(t.Context(), nodes, false)
	want := Forbidden{}
	for address, owner := range map[string]string{
		"10.99.0.1": "the API server", "192.168.7.1": "node kn1", "fd00:7::1": "node kn1", "192.168.7.2": "node kn2",
		"192.168.7.3": "node kn3",
	} {
		want[netip.MustParseAddr(address)] = owner
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("forbidden: %v, %v; want %v", got, err, want)
	}
	own := Forbidden{}
	err = r.forbidOwn(t.Context(), own)
	want = Forbidden{netip.MustParseAddr("10.96.0.1"): "the API server",
		netip.MustParseAddr("10.244.9.1"): "the operator itself", netip.MustParseAddr("10.244.9.2"): "the operator itself"}
	if err != nil || !maps.Equal(own, want) {
		t.Errorf("forbidden besides: %v, %v; want %v", own, err, want)
	}
}

// TestWhatIsForbiddenMustBeKnown: without the API server's addresses, nothing is known of what is forbidden.
func TestWhatIsForbiddenMustBeKnown(t *testing.T) {
	r, calls := resolverOf(shop()...)
	calls.fail(apiSlices)
	f, err := r.forbidden(t.Context(), nil, false)
	expectError(t, err, "error: list the EndpointSlices of Service default/kubernetes: the API server is down")
	if f != nil {
		t.Errorf("%v is known", f)
	}
	for call, want := range map[string]string{
		"Service default/kubernetes": "error: read Service default/kubernetes: the API server is down",
		"PodList tcpprobe-system":    "error: list the pods of namespace tcpprobe-system: the API server is down",
		"PodList tcpprobe-probes":    "error: list the pods of namespace tcpprobe-probes: the API server is down",
	} {
		calls.fail(call)
		expectError(t, r.forbidOwn(t.Context(), Forbidden{}), want)
	}
}

// TestAPIServerHasAllAddressesOfItsNode: the API server publishes its addresses of one family. On the node that has
// one of them it listens at the others too, also where hosts may be probed.
func TestAPIServerHasAllAddressesOfItsNode(t *testing.T) {
	r, _ := resolverOf(shop(of("kn1", func(n *corev1.Node) {
		n.Status.Addresses = []corev1.NodeAddress{{Address: "fd00:7::1"}, {Address: "10.99.0.1"}}
	}))...)
	nodes, err := r.nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, hosts := range []bool{false, true} {
		f, err := r.forbidden(t.Context(), nodes, hosts)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []string{"fd00:7::1", "10.99.0.1", "64:ff9b::10.99.0.1"} {
			if owner, _ := f.owner(netip.MustParseAddr(a)); owner != theAPIServer {
				t.Errorf("hosts %t: %s belongs to %q", hosts, a, owner)
			}
		}
		if _, yes := f.owner(netip.MustParseAddr("192.168.7.2")); yes == hosts {
			t.Errorf("hosts %t: the address of another node is forbidden: %t", hosts, yes)
		}
	}
}
