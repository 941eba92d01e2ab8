package target

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func TestClusterIPsOfAService(t *testing.T) {
	for name, c := range map[string]struct {
		ips      []string
		families []corev1.IPFamily
		local    bool
		want     int
		says     string
	}{
		"two families": {ips: []string{"10.96.0.7", "fd00:96::7"}, want: 2},
		"one of them": {ips: []string{"10.96.0.7", "fd00:96::7"}, families: []corev1.IPFamily{corev1.IPv6Protocol},
			want: 1},
		"headless":      {ips: []string{corev1.ClusterIPNone}, says: "is headless: it has no ClusterIP; use via PodIP"},
		"not given yet": {says: "is headless"},
		"local": {ips: []string{"10.96.0.7"}, local: true, want: 1,
			says: "no segment would cross the network; use via PodIP"},
	} {
		t.Run(name, func(t *testing.T) {
			svc := exampleService(portHTTP)
			svc.Spec.ClusterIPs = c.ips
			if c.local {
				svc.Spec.InternalTrafficPolicy = ptr.To(corev1.ServiceInternalTrafficPolicyLocal)
			}
			target := &v1alpha1.ServiceTarget{Name: "web", Families: c.families,
				Via: []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}}
			s, r := resolveService(svc, target)
			if r != nil || len(s.ClusterIPs) != c.want {
				t.Fatalf("%v, %v; want %d", s.ClusterIPs, r, c.want)
			}
			r = viaRules.refuse(viaInput{s, target.Via})
			if c.says == "" && r != nil || c.says != "" && (r == nil || r.Waiting || r.Reason != v1alpha1.ReasonNoClusterIP ||
				!strings.Contains(r.Message, c.says)) {
				t.Errorf("refusal %v; want %q", r, c.says)
			}
			target.Via = target.Via[:1]
			if r := viaRules.refuse(viaInput{s, target.Via}); r != nil {
				t.Errorf("via PodIP: %v", r)
			}
		})
	}
}

// TestEveryClaimCounts: a ClusterIP may lead to an address that is skipped via PodIP, because it is not ready or has
// another port or family.
func TestEveryClaimCounts(t *testing.T) {
	unready := controllertest.Slice("shop", "web", "-a", webRef(), "10.244.1.7")
	unready.Endpoints[0].Conditions.Ready = new(false)
	otherPort := controllertest.Slice("shop", "web", "-b", webRef(), "10.244.1.8")
	otherPort.Ports[0].Name = new("https")
	sixth := controllertest.Slice("shop", "web", "-c", nil, "fd00:244::5")
	sixth.AddressType = discoveryv1.AddressTypeIPv6
	var got []string
	for _, c := range everyClaim([]discoveryv1.EndpointSlice{*unready, *otherPort, *sixth}) {
		got = append(got, c.Address)
	}
	if want := []string{"fd00:244::5", "10.244.1.7", "10.244.1.8"}; !slices.Equal(got, want) {
		t.Errorf("claims %v; want %v", got, want)
	}
}

func TestCommonNode(t *testing.T) {
	on := func(nodes ...string) map[string]*corev1.Pod {
		pods := make(map[string]*corev1.Pod)
		for i, node := range nodes {
			pod := webPod()
			if pod.Spec.NodeName = strings.TrimPrefix(node, "!"); pod.Spec.NodeName != node {
				pod.Status.Conditions = nil // not Ready
			}
			pods[string(rune('a'+i))] = pod
		}
		return pods
	}
	for _, c := range []struct {
		pods   map[string]*corev1.Pod
		node   string
		serves bool
	}{{on(), "", false}, {on("!kn1"), "", false}, {on("kn1"), "kn1", true}, {on("kn1", "kn1", "!kn2"), "kn1",
		true}, {on("!kn1", "kn2"), "kn2", true}, {on("kn1", "kn2", "kn1"), "", true}} {
		for range 100 { // a map has its pods in any order
			if node, serves := commonNode(c.pods); node != c.node || serves != c.serves {
				t.Fatalf("%v: %q, %t; want %q, %t", c.pods, node, serves, c.node, c.serves)
			}
		}
	}
}
