package target

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func exampleService(ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"}, Ports: ports,
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol},
		},
	}
}

var (
	portHTTP  = corev1.ServicePort{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}
	portHTTPS = corev1.ServicePort{Name: "https", Port: 443, Protocol: corev1.ProtocolTCP}
	portDNS   = corev1.ServicePort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}
)

func TestPortAndFamiliesOfAService(t *testing.T) {
	for name, c := range map[string]struct {
		ports    []corev1.ServicePort
		port     *intstr.IntOrString
		families []corev1.IPFamily
		want     string
	}{
		"the only TCP port": {ports: []corev1.ServicePort{portDNS, portHTTP}, want: "web:http"},
		"by number": {ports: []corev1.ServicePort{portHTTP, portHTTPS}, port: new(intstr.FromInt32(443)),
			want: "web:https"},
		"by name": {ports: []corev1.ServicePort{portHTTP, portHTTPS}, port: new(intstr.FromString("http")),
			want: "web:http"},
		"without a name": {ports: []corev1.ServicePort{{Port: 81}}, want: "web:81"},
		"one family": {ports: []corev1.ServicePort{portHTTP}, families: []corev1.IPFamily{corev1.IPv6Protocol},
			want: "web:http"},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := resolveService(exampleService(c.ports...), &v1alpha1.ServiceTarget{Name: "web", Port: c.port,
				Families: c.families})
			if r != nil || s.String() != c.want {
				t.Fatalf("%v, %v; want %s", s, r, c.want)
			}
			if want := c.families; want != nil && !slices.Equal(s.Families, want) || want == nil && len(s.Families) != 2 {
				t.Errorf("families %v; want %v, or else those of the Service", s.Families, want)
			}
		})
	}
}

func TestServiceIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*corev1.Service, *v1alpha1.ServiceTarget)
		reason string
		says   string
	}{
		"ExternalName": {func(s *corev1.Service, _ *v1alpha1.ServiceTarget) {
			s.Spec.Type = corev1.ServiceTypeExternalName
		}, v1alpha1.ReasonExternalName, "leads out of the cluster"},
		"no selector": {func(s *corev1.Service, _ *v1alpha1.ServiceTarget) { s.Spec.Selector = nil },
			v1alpha1.ReasonNoSelector, "name a Service with a selector"},
		"two ports": {func(s *corev1.Service, _ *v1alpha1.ServiceTarget) {
			s.Spec.Ports = []corev1.ServicePort{portHTTP, portHTTPS}
		}, v1alpha1.ReasonPortAmbiguous, "2 TCP ports (80 http, 443 https)"},
		"no TCP port": {func(s *corev1.Service, _ *v1alpha1.ServiceTarget) { s.Spec.Ports = []corev1.ServicePort{portDNS} },
			v1alpha1.ReasonPortNotFound, "no TCP port, and only TCP is probed"},
		"a UDP port by name": {func(s *corev1.Service, st *v1alpha1.ServiceTarget) {
			s.Spec.Ports = append(s.Spec.Ports, portDNS)
			st.Port = new(intstr.FromString("dns"))
		}, v1alpha1.ReasonPortNotFound, "it has 80 http"},
		"an absent family": {func(s *corev1.Service, st *v1alpha1.ServiceTarget) {
			s.Spec.IPFamilies = s.Spec.IPFamilies[:1]
			st.Families = []corev1.IPFamily{corev1.IPv6Protocol}
		}, v1alpha1.ReasonFamilyNotFound, "not IPv6"},
	} {
		t.Run(name, func(t *testing.T) {
			svc, target := exampleService(portHTTP), &v1alpha1.ServiceTarget{Name: "web"}
			c.change(svc, target)
			_, r := resolveService(svc, target)
			if r == nil || r.Waiting || r.Reason != c.reason || !strings.Contains(r.Message, c.says) {
				t.Errorf("refusal %v; want %s that says %q", r, c.reason, c.says)
			}
		})
	}
}

func TestTargetAsTheSpecHasIt(t *testing.T) {
	for want, target := range map[string]v1alpha1.Target{
		"10.1.2.3:443": {Address: &v1alpha1.AddressTarget{IP: "10.1.2.3", Port: 443}},
		"[fd00::1]:80": {Address: &v1alpha1.AddressTarget{IP: "fd00::1", Port: 80}},
		"web":          {Service: &v1alpha1.ServiceTarget{Name: "web"}},
		"web:http": {Service: &v1alpha1.ServiceTarget{Name: "web", Namespace: "shop",
			Port: new(intstr.FromString("http"))}},
		"pay/web:http": {Service: &v1alpha1.ServiceTarget{Name: "web", Namespace: "pay",
			Port: new(intstr.FromString("http"))}},
		"web:65535": {Service: &v1alpha1.ServiceTarget{Name: "web", Port: new(intstr.FromInt32(65535))}},
	} {
		probe := controllertest.Probe()
		probe.Spec.Target = target
		if got := NameInSpec(probe); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
