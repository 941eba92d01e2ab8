package target

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func TestRangesOfAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		" \n":                        "",
		"10.1.0.0/16":                "10.1.0.0/16",
		"10.1.2.3/32,\n fd00::/64":   "10.1.2.3/32, fd00::/64",
		"0.0.0.0/0":                  "0.0.0.0/0",
		"10.1.0.0/16,":               `error: "" is no range; write one such as 10.1.0.0/16`,
		"10.1.2.3":                   `error: "10.1.2.3" is no range`,
		"10.1.2.3/16":                "error: 10.1.2.3/16 has bits beyond its length; write 10.1.0.0/16",
		"10.1.0.0/33":                `error: "10.1.0.0/33" is no range`,
		"*":                          `error: "*" is no range`,
		"10.1.0.0/16 192.168.0.0/16": `error: "10.1.0.0/16 192.168.0.0/16" is no range`,
	} {
		ranges, err := ParseRanges(text)
		got := joined(ranges)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want && !(err != nil && strings.HasPrefix(want, "error: ") && strings.HasPrefix(got, want)) {
			t.Errorf("%q: %s; want %s", text, got, want)
		}
	}
}

func TestAddressInNoRange(t *testing.T) {
	ranges, _ := ParseRanges("10.1.0.0/16, fd00::/64")
	for text, want := range map[string]string{
		"10.1.2.3": "", "fd00::5": "",
		"10.2.0.1":        "AddressNotAllowed: 10.2.0.1 is in none of the ranges of X; it has: 10.1.0.0/16, fd00::/64",
		"fd00:1::1":       "AddressNotAllowed: fd00:1::1 is in none",
		"127.0.0.1":       "AddressDenied: 127.0.0.1 is an address that is never probed (loopback)",
		"::ffff:10.1.2.3": "AddressDenied: ::ffff:10.1.2.3 is an address that is never probed",
	} {
		got := ""
		if err := rangeRules.check(rangeInput{address: netip.MustParseAddr(text), ranges: ranges, whose: "X"}); err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q; want %q", text, got, want)
		}
	}
	var r *Refusal
	err := rangeRules.check(rangeInput{address: netip.MustParseAddr("10.1.2.3"), whose: "X"})
	if !errors.As(err, &r) || r.Waiting || r.Reason != v1alpha1.ReasonAddressNotAllowed ||
		!strings.HasSuffix(r.Message, "it has: none") {
		t.Errorf("no range at all: %v", err)
	}
}

func TestOwnersOfAddresses(t *testing.T) {
	f := Forbidden{}
	f.add("node kn2", "192.168.7.2", "kn2.example.test", "fd00:7::2")
	for text, want := range map[string]string{
		"192.168.7.2": "node kn2", "fd00:7::2": "node kn2", "::ffff:192.168.7.2": "node kn2",
		"64:ff9b::c0a8:702": "node kn2", "2002:c0a8:702::1": "node kn2", // NAT64 and 6to4 lead to it
		"192.168.7.3": "", "fd00:7::3": "", "64:ff9b::c0a8:703": "",
	} {
		if got, yes := f.owner(netip.MustParseAddr(text)); got != want || yes != (want != "") {
			t.Errorf("%s belongs to %q, %t; want %q", text, got, yes, want)
		}
	}
}

func TestPodRanges(t *testing.T) {
	nodes := []corev1.Node{*controllertest.Node("kn1", "192.168.7.1"), *controllertest.Node("kn2", "192.168.7.2"),
		*controllertest.Node("kn3", "192.168.7.3")}
	nodes[0].Spec.PodCIDRs = []string{"10.244.1.0/24", "fd00:244:1::/64"}
	nodes[1].Spec.PodCIDR = "10.244.2.0/24"
	for text, want := range map[string]string{"10.244.1.1": "kn1", "fd00:244:1::1": "kn1", "10.244.2.255": "kn2",
		"10.244.3.1": "", "10.1.2.3": ""} {
		if got := podRange(netip.MustParseAddr(text), nodes); got != want {
			t.Errorf("%s is in the pod range of %q; want %q", text, got, want)
		}
	}
}
