package plan

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDenied(t *testing.T) {
	for _, c := range []struct{ addresses, why string }{
		{"0.0.0.0 0.1.2.3 ::", "unspecified"},
		{"127.0.0.1 127.255.255.255 ::1", "loopback"},
		{"169.254.0.0 169.254.169.254 169.254.255.255", "link-local or cloud metadata"},
		{"fe80::1 febf:ffff::1 fe80::1%eth0", "link-local"},
		{"224.0.0.1 239.255.255.255 ff02::1 ffff::1", "multicast"},
		{"255.255.255.255", "broadcast"},
		{"::ffff:10.1.2.3 ::ffff:127.0.0.1 ::10.1.2.3", "an IPv4 address in IPv6 clothes"},
		{"168.63.129.16 100.100.100.200 fd00:ec2::254 fd20:ce::254 fd00:c1::a9fe:a9fe fd00:a9fe:a9fe::1", "cloud metadata"},
		{"64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1", "link-local or cloud metadata"},
		{"64:ff9b::7f00:1 2002:7f00:1::", "loopback"},
	} {
		for text := range strings.FieldsSeq(c.addresses) {
			if why, yes := Denied(netip.MustParseAddr(text)); !yes || why != c.why {
				t.Errorf("%s: denied %v, %q; want %q", text, yes, why, c.why)
			}
		}
	}
	if why, yes := Denied(netip.Addr{}); !yes || why != "no address" {
		t.Errorf("the zero address: denied %v, %q", yes, why)
	}
}

func TestNeighboursOfDeniedRangesAreAllowed(t *testing.T) {
	for text := range strings.FieldsSeq(`
		1.0.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 223.255.255.255 240.0.0.1 255.255.255.254
		168.63.129.15 168.63.129.17 100.100.100.199 100.100.100.201 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1
		::1:0:0:0 fe7f:ffff::1 fec0::1 feff::1 fd00:ec2::253 fd00::1 2001:db8::1
		64:ff9b::a01:203 2002:a01:203::1 64:ff9b:2::7f00:1 64:ff9b:0:1::7f00:1 2001:1::1 191.255.255.255 192.0.1.0
		192.88.98.255 192.88.100.0 2003:: 5eff:: 5f01:: 2001:40::1 100:0:0:2::1 ::1:0:0:0:1 ::fffe:0:1:1`) {
		if why, yes := Denied(netip.MustParseAddr(text)); yes {
			t.Errorf("%s is denied: %s", text, why)
		}
	}
}
