package target

import (
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// planned is what a run in the cluster of shop() recorded: target 0 is the Service's ClusterIP, 1 and 2 are its pods.
func planned() *Snapshot {
	first := newEndpoint(Candidate{Address: "10.244.1.5", Port: 8080}, podAt("shop", "web-1", "10.244.1.5", "kn1"))
	second := newEndpoint(Candidate{Address: "10.244.1.6", Port: 8080}, podAt("shop", "web-2", "10.244.1.6", "kn2"))
	return &Snapshot{
		Target:    v1alpha1.Target{Service: &v1alpha1.ServiceTarget{Name: "web", Namespace: "shop"}},
		Endpoints: []Endpoint{viaClusterIP("10.96.0.7"), first, second},
		Behind:    &Behind{Slices: []SliceVersion{{"slice-a", 1}, {"slice-b", 1}}, Pods: []Endpoint{first, second}},
	}
}

// plannedPods is what a run recorded that does not probe the ClusterIP: targets 0 and 1 are the pods.
func plannedPods() *Snapshot {
	s := planned()
	s.Endpoints, s.Behind = s.Endpoints[1:], nil
	return s
}

// plannedAddress is what a run of target.address recorded.
func plannedAddress() *Snapshot {
	return &Snapshot{Target: v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: "10.1.2.3", Port: 443}},
		Endpoints: []Endpoint{{Via: v1alpha1.ViaAddress, Address: netip.MustParseAddr("10.1.2.3"), Port: 443}}}
}

func viaClusterIP(address string) Endpoint {
	return Endpoint{Via: v1alpha1.ViaClusterIP, Address: netip.MustParseAddr(address), Port: 80}
}

// Changes of the cluster since the run was planned.
var (
	replaced   = of("web-2", func(p *corev1.Pod) { p.UID = "uid-new" })
	restarted  = of("web-2", func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount++ })
	unready    = of("web-2", func(p *corev1.Pod) { p.Status.Conditions = nil })
	readdress  = of("web", func(s *corev1.Service) { s.Spec.ClusterIPs = []string{"10.96.0.8"} })
	portChange = of("web", func(s *corev1.Service) { s.Spec.Ports[0].Port = 81 })
)

// without are the objects but the one of this type and name.
func without[Object client.Object](name string, objects []client.Object) []client.Object {
	return slices.DeleteFunc(objects, func(o client.Object) bool {
		_, is := o.(Object)
		return is && o.GetName() == name
	})
}

func TestNamespaceOfTheTarget(t *testing.T) {
	for _, c := range []struct {
		target v1alpha1.Target
		want   string
	}{
		{v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: "10.1.2.3"}}, "shop"},
		{v1alpha1.Target{Service: &v1alpha1.ServiceTarget{Name: "web"}}, "shop"},
		{v1alpha1.Target{Service: &v1alpha1.ServiceTarget{Name: "web", Namespace: "pay"}}, "pay"},
	} {
		if got := (&Snapshot{Target: c.target}).Namespace("shop"); got != c.want {
			t.Errorf("%+v is in namespace %q; want %q", c.target, got, c.want)
		}
	}
}

// TestPodsOfASnapshot: each is named once; a ClusterIP has none.
func TestPodsOfASnapshot(t *testing.T) {
	s := &Snapshot{Endpoints: []Endpoint{{Pod: "b"}, {}, {Pod: "a"}, {Pod: "b"}, {Pod: "c"}}}
	if got := s.Pods(); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("pods %q", got)
	}
	if got := s.podsBehind([]int{4, 3, 2, 1, 0}); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("pods %q", got)
	}
	if got := s.podsBehind([]int{1}); len(got) != 0 {
		t.Errorf("pods %q", got)
	}
}

// TestServiceStillLeadsThere: it has every ClusterIP that is probed, with its port.
func TestServiceStillLeadsThere(t *testing.T) {
	service := &Service{Port: portHTTP, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.96.0.7"),
		netip.MustParseAddr("10.96.0.8")}}
	otherPort := viaClusterIP("10.96.0.8")
	otherPort.Port = 81
	pod := planned().Endpoints[1]
	for _, c := range []struct {
		endpoints []Endpoint
		want      bool
	}{
		{nil, true},
		{[]Endpoint{pod}, true},
		{[]Endpoint{pod, viaClusterIP("10.96.0.7"), viaClusterIP("10.96.0.8")}, true},
		{[]Endpoint{viaClusterIP("10.96.0.7"), viaClusterIP("10.96.0.9")}, false},
		{[]Endpoint{pod, viaClusterIP("10.96.0.9")}, false},
		{[]Endpoint{pod, otherPort}, false},
	} {
		if got := (&Snapshot{Endpoints: c.endpoints}).leadsTo(service); got != c.want {
			t.Errorf("the Service leads to %+v: %t", c.endpoints, got)
		}
	}
}
