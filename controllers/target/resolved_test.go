package target

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestOneEndpointIsEnough: without any, the refusal says why, and it ends by itself.
func TestOneEndpointIsEnough(t *testing.T) {
	one := make([]Endpoint, 1)
	refused := []RefusedEndpoint{{"10.99.0.1:80", "it belongs to the API server"}}
	for _, c := range []struct {
		endpoints []Endpoint
		refused   []RefusedEndpoint
		notReady  int
		portLess  int
		want      string
	}{
		{one, refused, 1, 1, ""},
		{one, nil, 1, 0, ""},
		{one, nil, 0, 1, ""},
		{nil, refused, 1, 0, "waiting: EndpointsRefused: none of the endpoints of Service web may be probed; " +
			"1 not probed: 10.99.0.1:80: it belongs to the API server"},
		{nil, nil, 1, 0, "waiting: NoEndpoints: none of the 1 endpoints of Service web is Ready"},
		{nil, nil, 0, 1, "waiting: NoEndpoints: none of the 1 endpoints of Service web has its port: no container of their " +
			"pods has a port named 0, which is the Service's targetPort"},
		{nil, nil, 0, 0, "waiting: NoEndpoints: Service web has no endpoints: no pod with an address matches its selector"},
	} {
		expect(t, endpointRules, &Resolved{Service: webService(), Endpoints: c.endpoints, Refused: c.refused,
			NotReady: c.notReady, PortLess: c.portLess}, c.want)
	}
}

func TestTargetAsPeopleNameIt(t *testing.T) {
	foreign, number := webService(), webService()
	foreign.Foreign = true
	number.Port.Name = ""
	address := []Endpoint{{Via: v1alpha1.ViaAddress, Address: netip.MustParseAddr("fd00::1"), Port: 443}}
	for want, res := range map[string]*Resolved{
		"web:http":      {Service: webService()},
		"shop/web:http": {Service: foreign},
		"web:80":        {Service: number},
		"[fd00::1]:443": {Endpoints: address},
	} {
		if got := res.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

// TestNoteOfARun: the message of Accepted says what is probed and what is not.
func TestNoteOfARun(t *testing.T) {
	sources := Sources{Planned: []string{"kn1", "kn2", "kn3"}}
	address := []Endpoint{{Via: v1alpha1.ViaAddress, Address: netip.MustParseAddr("10.1.2.3"), Port: 443}}
	for want, res := range map[string]*Resolved{
		"probing 10.1.2.3:443 from 3 nodes, as told": {Endpoints: address, Sources: sources},
		"probing 1 endpoints of web:http from 3 nodes, as told; 1 more are not Ready": {Service: webService(),
			Endpoints: make([]Endpoint, 1), NotReady: 1, Sources: sources},
		"probing 2 endpoints of web:http, its ClusterIP among them (3 pods behind it), from 3 nodes, as told": {
			Service: webService(), Endpoints: make([]Endpoint, 2), Behind: &Behind{Pods: make([]Endpoint, 3)},
			Sources: sources},
	} {
		if got := res.Note(", as told"); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

// TestUnreadyPodsAreNamed, and counted.
func TestUnreadyPodsAreNamed(t *testing.T) {
	r, _ := resolverOf(shop(unready)...)
	res, err := r.Resolve(t.Context(), controllertest.Probe())
	if err != nil || res.NotReady != 1 || !slices.Equal(res.Unready, []string{"web-2"}) {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestPortlessSlices: endpoints count that lack the port, of the families that are asked for.
func TestPortlessSlices(t *testing.T) {
	service := webService()
	service.Families = []corev1.IPFamily{corev1.IPv4Protocol}
	with := *controllertest.Slice("shop", "web", "-a", nil, "10.0.0.1")
	without, other := *with.DeepCopy(), *with.DeepCopy()
	without.Ports, without.Endpoints = nil, make([]discoveryv1.Endpoint, 3)
	other.Ports, other.AddressType = nil, discoveryv1.AddressTypeIPv6
	if n := withoutPort(service, []discoveryv1.EndpointSlice{with, without, other}); n != 3 {
		t.Errorf("%d endpoints; want 3", n)
	}
}

// TestEndpointsWithoutThePort: pods match the selector, and none has the port that the Service names.
func TestEndpointsWithoutThePort(t *testing.T) {
	r, _ := resolverOf(shop(func(o client.Object) {
		if s, is := o.(*discoveryv1.EndpointSlice); is && s.Namespace == "shop" {
			s.Ports = nil
		}
		if s, is := o.(*corev1.Service); is && s.Namespace == "shop" {
			s.Spec.Ports[0].TargetPort = intstr.FromString("web")
		}
	})...)
	_, err := r.Resolve(t.Context(), controllertest.Probe())
	if err == nil || !strings.Contains(err.Error(), "endpoints of Service web has its port: no container of their pods "+
		"has a port named web, which is the Service's targetPort") {
		t.Error(err)
	}
}
