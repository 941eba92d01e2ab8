package target

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func TestRangesDecideOfAnAddress(t *testing.T) {
	ranges, _ := ParseRanges("10.1.0.0/16")
	two, _ := ParseRanges("10.2.0.0/16, 10.1.0.0/16")
	for _, c := range []struct {
		address string
		ranges  []netip.Prefix
		invalid error
		want    string
	}{
		{"10.1.255.255", ranges, nil, ""},
		{"10.1.0.0", two, nil, ""},
		{"10.2.0.0", ranges, nil, "AddressNotAllowed: 10.2.0.0 is in none of the ranges of X; it has: 10.1.0.0/16"},
		{"10.0.255.255", two, nil,
			"AddressNotAllowed: 10.0.255.255 is in none of the ranges of X; it has: 10.2.0.0/16, 10.1.0.0/16"},
		{"10.1.0.1", nil, nil, "AddressNotAllowed: 10.1.0.1 is in none of the ranges of X; it has: none"},
		{"10.1.0.1", ranges, errors.New("unreadable"),
			"AddressNotAllowed: X: unreadable; an administrator has to correct it"},
		{"169.254.169.254", ranges, errors.New("unreadable"),
			"AddressDenied: 169.254.169.254 is an address that is never probed (link-local or cloud metadata)"},
	} {
		expect(t, rangeRules, rangeInput{netip.MustParseAddr(c.address), c.ranges, c.invalid, "X"}, c.want)
	}
}

// TestManyRangesAreCut: a message lists the ranges of a namespace in at most 200 bytes.
func TestManyRangesAreCut(t *testing.T) {
	list := strings.Repeat("10.1.0.0/16, ", 14)
	const says = "AddressNotAllowed: 10.3.0.0 is in none of the ranges of X; it has: "
	for text, want := range map[string]string{
		list + "100.100.100.100/32": list + "100.100.100.100/32", // 200 bytes
		"10.1.20.0/24, 10.1.10.0/24, " + list[26:] + "100.100.100.99/32": "10.1.20.0/24, 10.1.10.0/24, " + list[26:] +
			"100.100.100.9…",
	} {
		ranges, err := ParseRanges(text)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, rangeRules, rangeInput{netip.MustParseAddr("10.3.0.0"), ranges, nil, "X"}, says+want)
	}
}

// TestMistakenRangeIsCut: the message repeats at most 60 bytes of it.
func TestMistakenRangeIsCut(t *testing.T) {
	const says = " is no range; write one such as 10.1.0.0/16, or 10.1.2.3/32 for one address"
	for text, want := range map[string]string{
		strings.Repeat("x", 60): `"` + strings.Repeat("x", 60) + `"` + says,
		strings.Repeat("x", 61): `"` + strings.Repeat("x", 57) + `…"` + says,
	} {
		if _, err := ParseRanges(text); err == nil || err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestTheClustersOwnAddressesAreNoTarget(t *testing.T) {
	node := *controllertest.Node("kn1", "192.168.7.1")
	node.Spec.PodCIDRs = []string{"10.244.1.0/24"}
	forbidden := Forbidden{netip.MustParseAddr("192.168.7.1"): "node kn1"}
	for _, c := range []struct {
		address string
		virtual bool
		want    string
	}{
		{"192.168.7.1", true, "AddressDenied: 192.168.7.1 is never probed: it belongs to node kn1"},
		{"192.168.7.2", false, ""},
		{"10.244.1.255", true, "AddressDenied: 10.244.1.255 is in the pod range of node kn1, " +
			"where nobody but a Pod confirms whose it is; name its Service as target.service"},
		{"10.244.2.0", false, ""},
		{"10.96.0.7", true, "AddressDenied: 10.96.0.7 is the ClusterIP of a Service; " +
			"name that as target.service, via ClusterIP"},
		{"10.96.0.7", false, ""},
	} {
		expect(t, clusterRules, clusterInput{netip.MustParseAddr(c.address), forbidden, []corev1.Node{node}, c.virtual},
			c.want)
	}
}
