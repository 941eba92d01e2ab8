package target

import (
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestWhatAServiceIsRefusedFor: each Service and target differ from those that pass in one thing.
func TestWhatAServiceIsRefusedFor(t *testing.T) {
	same := func(*corev1.Service) {}
	twoPorts := func(s *corev1.Service) { s.Spec.Ports = []corev1.ServicePort{portHTTP, portHTTPS} }
	for _, c := range []struct {
		change func(*corev1.Service)
		target v1alpha1.ServiceTarget
		want   string
	}{
		{same, v1alpha1.ServiceTarget{}, ""},
		{func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }, v1alpha1.ServiceTarget{},
			"ExternalName: Service web is of type ExternalName: it leads out of the cluster; name a Service with a selector"},
		{func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeLoadBalancer }, v1alpha1.ServiceTarget{}, ""},
		{func(s *corev1.Service) { s.Spec.Selector = nil }, v1alpha1.ServiceTarget{},
			"NoSelector: Service web has no selector: nothing proves that its endpoints are yours; " +
				"name a Service with a selector"},
		{twoPorts, v1alpha1.ServiceTarget{},
			"PortAmbiguous: Service web has 2 TCP ports (80 http, 443 https); set target.service.port"},
		{twoPorts, v1alpha1.ServiceTarget{Port: new(intstr.FromInt32(443))}, ""},
		{func(s *corev1.Service) { s.Spec.Ports = nil }, v1alpha1.ServiceTarget{},
			"PortNotFound: Service web has no TCP port, and only TCP is probed; name another Service"},
		{twoPorts, v1alpha1.ServiceTarget{Port: new(intstr.FromInt32(81))},
			"PortNotFound: Service web has no TCP port 81; it has 80 http, 443 https"},
		{twoPorts, v1alpha1.ServiceTarget{Port: new(intstr.FromString("dns"))},
			"PortNotFound: Service web has no TCP port dns; it has 80 http, 443 https"},
		{same, v1alpha1.ServiceTarget{Families: []corev1.IPFamily{corev1.IPv6Protocol, corev1.IPv4Protocol}}, ""},
		{func(s *corev1.Service) { s.Spec.IPFamilies = s.Spec.IPFamilies[:1] },
			v1alpha1.ServiceTarget{Families: []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}},
			"FamilyNotFound: Service web has the families [IPv4], not IPv6"},
	} {
		svc := exampleService(portHTTP)
		c.change(svc)
		expect(t, serviceRules, serviceInput{svc, &c.target}, c.want)
	}
}

// TestClusterIPsOfAFamily: those of the other family are not probed.
func TestClusterIPsOfAFamily(t *testing.T) {
	svc := exampleService(portHTTP)
	svc.Spec.ClusterIPs = []string{"10.96.0.7", "fd00:96::7"}
	for family, want := range map[corev1.IPFamily]string{corev1.IPv4Protocol: "10.96.0.7",
		corev1.IPv6Protocol: "fd00:96::7"} {
		got := clusterIPs(svc, []corev1.IPFamily{family})
		if !slices.Equal(got, []netip.Addr{netip.MustParseAddr(want)}) {
			t.Errorf("%s: %v; want %s", family, got, want)
		}
	}
}
