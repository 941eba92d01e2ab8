package target

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// webResolved is what is known of the Service web before its ClusterIP is looked at.
func webResolved() *Resolved {
	service := webService()
	service.ClusterIPs = []netip.Addr{netip.MustParseAddr("10.96.0.7")}
	return &Resolved{Service: service}
}

// lookBehind looks at what the ClusterIP leads to in this cluster.
func lookBehind(t *testing.T, objects []client.Object, fails string) (*Resolved, error) {
	t.Helper()
	r, calls := resolverOf(objects...)
	list, err := r.slicesOf(t.Context(), "shop", "web")
	if err != nil {
		t.Fatal(err)
	}
	calls.fail(fails)
	res := webResolved()
	return res, r.clusterIPs(t.Context(), res, list, Forbidden{netip.MustParseAddr("192.168.7.1"): "node kn1"})
}

// TestClusterIPIsProbedIfItLeadsToPodsOnly: what it leads to is recorded, by version, and each pod once.
func TestClusterIPIsProbedIfItLeadsToPodsOnly(t *testing.T) {
	second := withUID("slice-c", controllertest.Slice("shop", "web", "-c", refTo("web-1"), "10.244.1.5"))
	res, err := lookBehind(t, append(shop(), second), "")
	if err != nil || len(res.Refused) != 0 || !slices.Equal(res.Endpoints, []Endpoint{viaClusterIP("10.96.0.7")}) {
		t.Fatalf("resolved %+v, %v", res, err)
	}
	versions := []SliceVersion{{"slice-a", 1}, {"slice-b", 1}, {"slice-c", 1}}
	if !slices.Equal(res.Behind.Slices, versions) {
		t.Errorf("slices %v; want %v", res.Behind.Slices, versions)
	}
	pods := planned().Behind.Pods
	for i := range pods {
		pods[i].Port = 0 // a ClusterIP leads to any port of theirs
	}
	if !slices.Equal(res.Behind.Pods, pods) {
		t.Errorf("pods %+v; want %+v", res.Behind.Pods, pods)
	}
}

// TestClusterIPIsRefusedForAnyClaimBehindIt: what one claim is refused for.
func TestClusterIPIsRefusedForAnyClaimBehindIt(t *testing.T) {
	other := of("web-2", func(p *corev1.Pod) { p.Labels = nil })
	for _, c := range []struct {
		cluster []client.Object
		why     string
	}{
		{append(shop(), controllertest.Slice("shop", "web", "-c", nil, "192.168.7.1")),
			"192.168.7.1 behind it: it belongs to node kn1 (a pod on the host network has its node's address)"},
		{append(shop(), controllertest.Slice("shop", "web", "-c", nil, "10.244.1.7")),
			"10.244.1.7 behind it: no Pod stands behind it"},
		{shop(other), "10.244.1.6 behind it: its Pod does not match the Service's selector"},
		{without[*corev1.Pod]("web-2", shop()), "10.244.1.6 behind it: there is no Pod web-2"},
	} {
		res, err := lookBehind(t, c.cluster, "")
		if err != nil || len(res.Endpoints) != 0 || res.Behind != nil ||
			!slices.Equal(res.Refused, []RefusedEndpoint{{"10.96.0.7:80 (ClusterIP)", c.why}}) {
			t.Errorf("resolved %+v, %v; want %q", res, err, c.why)
		}
	}
	_, err := lookBehind(t, shop(), "Pod shop/web-2")
	expectError(t, err, "error: read Pod shop/web-2: the API server is down")
}

// TestClusterIPOfTooManyPodsIsRefused: of 256, which is as many as one run reads.
func TestClusterIPOfTooManyPodsIsRefused(t *testing.T) {
	for pods, why := range map[int]string{255: "", 256: "it leads to 256 pods or more, which are too many to look at"} {
		var cluster []client.Object
		slice := controllertest.Slice("shop", "web", "-a", nil)
		for i := range pods {
			name, address := fmt.Sprintf("web-%04d", i), fmt.Sprintf("10.244.7.%d", i)
			cluster = append(cluster, podAt("shop", name, address, "kn1"))
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}, TargetRef: refTo(name)})
		}
		res, err := lookBehind(t, append(cluster, slice), "")
		if err != nil || (res.Behind != nil) != (why == "") || why != "" && (len(res.Endpoints) != 0 ||
			!slices.Equal(res.Refused, []RefusedEndpoint{{"10.96.0.7:80 (ClusterIP)", why}})) {
			t.Errorf("%d pods: refused %v, %v; want %q", pods, res.Refused, err, why)
		}
	}
}

// TestClusterIPWithoutServingPodsIsNotReady: as many pods are not ready as the pods or their slices say.
func TestClusterIPWithoutServingPodsIsNotReady(t *testing.T) {
	bothUnready := []func(client.Object){unready, of("web-1", func(p *corev1.Pod) { p.Status.Conditions = nil })}
	res, err := lookBehind(t, shop(bothUnready...), "")
	if err != nil || res.NotReady != 2 || len(res.Endpoints) != 0 || len(res.Refused) != 0 || res.Behind != nil {
		t.Errorf("resolved %+v, %v; want two pods that are not ready", res, err)
	}
	res.NotReady = 5
	res.admitClusterIPs(&Behind{}, map[string]*corev1.Pod{"web-1": {}, "web-2": {}}, nil)
	if res.NotReady != 5 {
		t.Errorf("%d are not ready; want 5 still", res.NotReady)
	}
}

// TestClusterIPThatIsForbidden: it is passed over, and no other one with it.
func TestClusterIPThatIsForbidden(t *testing.T) {
	pods := map[string]*corev1.Pod{"web-1": podAt("shop", "web-1", "10.244.1.5", "kn1")}
	res := webResolved()
	res.Service.ClusterIPs = []netip.Addr{netip.MustParseAddr("169.254.1.1"), netip.MustParseAddr("10.99.0.1"),
		netip.MustParseAddr("10.96.0.7")}
	behind := &Behind{}
	res.admitClusterIPs(behind, pods, Forbidden{netip.MustParseAddr("10.99.0.1"): "the API server"})
	want := viaClusterIP("10.96.0.7")
	want.Node = "kn1"
	if !slices.Equal(res.Endpoints, []Endpoint{want}) || res.Behind != behind {
		t.Errorf("endpoints %+v, behind %+v; want %+v", res.Endpoints, res.Behind, want)
	}
	res = webResolved()
	res.Service.ClusterIPs = []netip.Addr{netip.MustParseAddr("10.99.0.1")}
	res.admitClusterIPs(behind, pods, Forbidden{netip.MustParseAddr("10.99.0.1"): "the API server"})
	if len(res.Endpoints) != 0 || res.Behind != nil {
		t.Errorf("endpoints %+v, behind %+v; want none", res.Endpoints, res.Behind)
	}
}

// TestVersionsOfSlicesAreSorted: the order in which slices are listed changes nothing.
func TestVersionsOfSlicesAreSorted(t *testing.T) {
	var list []discoveryv1.EndpointSlice
	for i, uid := range []types.UID{"c", "a", "b"} {
		s := discoveryv1.EndpointSlice{}
		s.UID, s.Generation = uid, int64(i)
		list = append(list, s)
	}
	if got, want := versions(list), []SliceVersion{{"a", 1}, {"b", 2}, {"c", 0}}; !slices.Equal(got, want) {
		t.Errorf("versions %v; want %v", got, want)
	}
}

// TestViaClusterIPNeedsOneThatLeadsAcrossTheNetwork: via PodIP needs none.
func TestViaClusterIPNeedsOneThatLeadsAcrossTheNetwork(t *testing.T) {
	both, pods := []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}, []v1alpha1.Via{v1alpha1.ViaPodIP}
	local, headless := webResolved().Service, webService()
	local.Local = true
	expect(t, viaRules, viaInput{webResolved().Service, both}, "")
	expect(t, viaRules, viaInput{headless, pods}, "")
	expect(t, viaRules, viaInput{headless, both},
		"NoClusterIP: Service web is headless: it has no ClusterIP; use via PodIP")
	expect(t, viaRules, viaInput{local, pods}, "")
	expect(t, viaRules, viaInput{local, both}, "NoClusterIP: Service web has internalTrafficPolicy Local: its ClusterIP "+
		"leads to pods of the prober's own node alone, and no segment would cross the network; use via PodIP")
}
