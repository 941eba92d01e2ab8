package target

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestWhatAClaimIsRefusedFor: each claim differs from one that passes in one thing.
func TestWhatAClaimIsRefusedFor(t *testing.T) {
	const onNode = "it belongs to node kn1 (a pod on the host network has its node's address)"
	forbidden := Forbidden{netip.MustParseAddr("192.168.7.1"): "node kn1"}
	for _, c := range []struct {
		change func(*Candidate)
		want   string
	}{
		{func(*Candidate) {}, ""},
		{func(c *Candidate) { c.Address = "10.244.1" }, "it is no IP address"},
		{func(c *Candidate) { c.Address = "" }, "it is no IP address"},
		{func(c *Candidate) { c.Address = "169.253.255.255" }, ""},
		{func(c *Candidate) { c.Address = "169.254.0.0" },
			"it is an address that is never probed (link-local or cloud metadata)"},
		{func(c *Candidate) { c.Address = "192.168.7.1" }, onNode},
		{func(c *Candidate) { c.Address = "64:ff9b::c0a8:701" }, onNode},
		{func(c *Candidate) { c.Address = "192.168.7.2" }, ""},
		{func(c *Candidate) { c.Ref = nil }, "no Pod stands behind it"},
		{func(c *Candidate) { c.Ref.Kind = "Node" }, "no Pod stands behind it"},
		{func(c *Candidate) { c.Ref.Name = "Web-1" }, "no Pod stands behind it"},
		{func(c *Candidate) { c.Ref.Namespace = "pay" }, `its Pod is in namespace "pay", not in the Service's`},
		{func(c *Candidate) { c.Ref.Namespace = strings.Repeat("n", 63) },
			`its Pod is in namespace "` + strings.Repeat("n", 63) + `", not in the Service's`},
		{func(c *Candidate) { c.Ref.Namespace = strings.Repeat("n", 64) },
			`its Pod is in namespace "` + strings.Repeat("n", 60) + `…", not in the Service's`},
	} {
		bad := claim("10.244.1.5")
		c.change(&bad)
		if c.want != "" {
			c.want = "EndpointsRefused: " + c.want
		}
		expect(t, claimRules, claimInput{bad, webService(), forbidden}, c.want)
	}
}

// TestClaimsAreNamedInShort: whatever a slice has as an address, a message has at most 48 bytes of it.
func TestClaimsAreNamedInShort(t *testing.T) {
	for address, want := range map[string]string{
		"10.244.1.5":            "10.244.1.5:8080",
		"fd00:244::5":           "[fd00:244::5]:8080",
		strings.Repeat("x", 48): strings.Repeat("x", 48) + ":8080",
		strings.Repeat("x", 49): strings.Repeat("x", 45) + "…:8080",
	} {
		if got := claim(address).String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestPortOfASlice(t *testing.T) {
	port := func(name *string, number *int32) discoveryv1.EndpointPort {
		return discoveryv1.EndpointPort{Name: name, Port: number}
	}
	udp := port(new("http"), new(int32(80)))
	udp.Protocol = ptr.To(corev1.ProtocolUDP)
	for _, c := range []struct {
		ports []discoveryv1.EndpointPort
		name  string
		want  uint16
	}{
		{nil, "", 0},
		{[]discoveryv1.EndpointPort{port(nil, new(int32(80)))}, "", 80},
		{[]discoveryv1.EndpointPort{port(new(""), new(int32(80)))}, "", 80},
		{[]discoveryv1.EndpointPort{port(nil, new(int32(80)))}, "http", 0},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(80)))}, "", 0},
		{[]discoveryv1.EndpointPort{port(new("https"), new(int32(443))), port(new("http"), new(int32(80)))}, "http", 80},
		{[]discoveryv1.EndpointPort{udp}, "http", 0},
		{[]discoveryv1.EndpointPort{port(new("http"), nil)}, "http", 0},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(-1)))}, "http", 0},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(0)))}, "http", 0},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(1)))}, "http", 1},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(65535)))}, "http", 65535},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(65536)))}, "http", 0},
		{[]discoveryv1.EndpointPort{port(new("http"), new(int32(65537)))}, "http", 0},
	} {
		got, found := slicePort(discoveryv1.EndpointSlice{Ports: c.ports}, c.name)
		if got != c.want || found != (c.want != 0) {
			t.Errorf("port %q of %+v: %d, %t; want %d", c.name, c.ports, got, found, c.want)
		}
	}
}

// TestWhatIsSkippedHidesNothing: after a slice or an endpoint that is of no use, the next ones count.
func TestWhatIsSkippedHidesNothing(t *testing.T) {
	sixth := controllertest.Slice("shop", "web", "-a", webRef(), "fd00:244::5")
	sixth.AddressType = discoveryv1.AddressTypeIPv6
	otherPort := controllertest.Slice("shop", "web", "-b", webRef(), "10.244.1.4")
	otherPort.Ports[0].Name = new("https")
	mixed := controllertest.Slice("shop", "web", "-c", webRef(), "10.244.1.5", "10.244.1.6", "10.244.1.7")
	mixed.Endpoints[0].Conditions.Ready, mixed.Endpoints[1].Conditions.Ready = new(false), new(false)
	got, notReady := candidates(webService(), []discoveryv1.EndpointSlice{*sixth, *otherPort, *mixed})
	if len(notReady) != 2 || len(got) != 1 || got[0].String() != "10.244.1.7:8080" {
		t.Errorf("claims %v, %d not ready", got, len(notReady))
	}
}

// TestClaimsAreSorted: by pod, address, port and the claimed UID, and each counts once, however slices are ordered.
func TestClaimsAreSorted(t *testing.T) {
	slice := func(pod, uid, address string, port int32) discoveryv1.EndpointSlice {
		ref := refTo(pod)
		ref.UID = types.UID(uid)
		s := controllertest.Slice("shop", "web", "", ref, address)
		s.Ports[0].Port = new(port)
		return *s
	}
	list := []discoveryv1.EndpointSlice{
		slice("web-2", "a", "10.244.1.1", 80), slice("web-1", "a", "10.244.1.3", 80), slice("web-1", "b", "10.244.1.2", 81),
		slice("web-1", "a", "10.244.1.2", 81), slice("web-1", "c", "10.244.1.2", 80), slice("web-1", "b", "10.244.1.2", 81),
	}
	want := []string{"web-1 10.244.1.2:80 c", "web-1 10.244.1.2:81 a", "web-1 10.244.1.2:81 b", "web-1 10.244.1.3:80 a",
		"web-2 10.244.1.1:80 a"}
	for range list {
		claimed, _ := candidates(webService(), list)
		var got []string
		for _, c := range claimed {
			got = append(got, c.Ref.Name+" "+c.String()+" "+string(c.Ref.UID))
		}
		if !slices.Equal(got, want) {
			t.Errorf("claims %q; want %q", got, want)
		}
		list = append(list[1:], list[0])
	}
}
