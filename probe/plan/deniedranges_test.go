package plan

import (
	"net/netip"
	"testing"
)

const asAnyOther = "" // what is not denied

// registry has every entry of the special-purpose registries of IANA for IPv4 and IPv6, and why it is denied.
var registry = map[string]string{
	"0.0.0.0/8": "unspecified", "0.0.0.0/32": "unspecified", "10.0.0.0/8": asAnyOther, "100.64.0.0/10": asAnyOther,
	"127.0.0.0/8": "loopback", "169.254.0.0/16": "link-local or cloud metadata", "172.16.0.0/12": asAnyOther,
	"192.0.0.0/24": protocol, "192.0.0.0/29": protocol, "192.0.0.8/32": protocol, "192.0.0.9/32": protocol,
	"192.0.0.10/32": protocol, "192.0.0.170/31": protocol, "192.0.2.0/24": asAnyOther, "192.31.196.0/24": asAnyOther,
	"192.52.193.0/24": asAnyOther, "192.88.99.0/24": translated, "192.88.99.2/32": translated,
	"192.168.0.0/16": asAnyOther, "192.175.48.0/24": asAnyOther, "198.18.0.0/15": asAnyOther,
	"198.51.100.0/24": asAnyOther, "203.0.113.0/24": asAnyOther, "255.255.255.255/32": "broadcast",

	"::1/128": "loopback", "::/128": "unspecified", "::ffff:0:0/96": clothed, "64:ff9b:1::/48": translated,
	"100::/64": "discarded", "100:0:0:1::/64": "discarded", "2001::/32": translated, "2001:1::1/128": asAnyOther,
	"2001:1::2/128": asAnyOther, "2001:1::3/128": asAnyOther, "2001:2::/48": asAnyOther, "2001:3::/32": asAnyOther,
	"2001:4:112::/48": asAnyOther, "2001:10::/28": identifier, "2001:20::/28": identifier, "2001:30::/28": identifier,
	"2001:db8::/32": asAnyOther, "2620:4f:8000::/48": asAnyOther, "3fff::/20": asAnyOther, "5f00::/16": identifier,
	"fc00::/7": asAnyOther, "fe80::/10": "link-local",
}

// beside has what is special and in neither registry: reserved or multicast space, and what RFCs have deprecated.
var beside = map[string]string{
	"224.0.0.0/4": "multicast", "ff00::/8": "multicast", "::/96": clothed, "::ffff:0:0:0/96": clothed,
}

// judgedInside are ranges whose addresses lead to an IPv4 address.
var judgedInside = []string{"64:ff9b::/96", "2002::/16"}

// TestSpecialRanges judges the first, a middle and the last address of every entry.
func TestSpecialRanges(t *testing.T) {
	for _, table := range []map[string]string{registry, beside} {
		for text, want := range table {
			p := netip.MustParsePrefix(text)
			for _, a := range []netip.Addr{lowest(p), middle(p), highest(p)} {
				if special, _ := specialRangeOf(a); special.prefix.Bits() > p.Bits() {
					continue // an entry within this one decides
				}
				if why, yes := Denied(a); why != want || yes != (want != asAnyOther) {
					t.Errorf("%s of %s: denied %t, %q; want %q", a, p, yes, why, want)
				}
			}
		}
	}
}

// TestTableHasNothingElse: a range of the table is in a registry, beside it, judged by what is inside, or a cloud's.
func TestTableHasNothingElse(t *testing.T) {
	known := map[netip.Prefix]bool{}
	for _, table := range []map[string]string{registry, beside} {
		for text, what := range table {
			known[netip.MustParsePrefix(text)] = what != asAnyOther
		}
	}
	for _, text := range judgedInside {
		known[netip.MustParsePrefix(text)] = true
	}
	for _, s := range specialRanges {
		if !known[s.prefix] && s.what != metadata {
			t.Errorf("nothing is known of %s (%s)", s.prefix, s.what)
		}
		if s.prefix != s.prefix.Masked() || s.what == "" || s.by == "" {
			t.Errorf("incomplete: %+v", s)
		}
	}
}

// TestEmbeddedAddressesAreJudgedAsIPv4: whatever carries an IPv4 address is denied if that is, and else is not.
func TestEmbeddedAddressesAreJudgedAsIPv4(t *testing.T) {
	for v4, want := range map[string]string{
		"127.0.0.1": "loopback", "169.254.169.254": "link-local or cloud metadata", "168.63.129.16": metadata,
		"224.0.0.1": "multicast", "0.0.0.0": "unspecified", "10.1.2.3": asAnyOther, "203.0.113.7": asAnyOther,
	} {
		inner := netip.MustParseAddr(v4)
		for where, a := range carriers(inner.As4()) {
			got, ok := Embedded(a)
			if !ok || got != inner {
				t.Errorf("%s: embedded in %s is %s, %t; want %s", where, a, got, ok, inner)
			}
			if why, yes := Denied(a); why != want || yes != (want != asAnyOther) {
				t.Errorf("%s: %s is denied %t, %q; want %q", where, a, yes, why, want)
			}
		}
	}
	for _, none := range []string{"10.1.2.3", "2001:db8::1", "2001:db8::5efe:a01:203:4", "64:ff9b:1::a01:203",
		"2001:db8::100:5efe:a01:203", "2001:db8::1:5efe:a01:203", "::ffff:10.1.2.3", "fe80::5efe:a01:203"} {
		if got, ok := Embedded(netip.MustParseAddr(none)); ok {
			t.Errorf("%s is said to lead to %s", none, got)
		}
	}
}

// carriers are the IPv6 addresses that lead to an IPv4 address, by what derives it.
func carriers(v4 [4]byte) map[string]netip.Addr {
	in := func(text string, offset int) netip.Addr {
		b := netip.MustParseAddr(text).As16()
		copy(b[offset:], v4[:])
		return netip.AddrFrom16(b)
	}
	return map[string]netip.Addr{
		"NAT64": in("64:ff9b::", 12), "6to4": in("2002::1", 2), "6to4 subnet": in("2002:0:0:ffff::1", 2),
		"ISATAP": in("2001:db8::5efe:0:0", 12), "ISATAP, global": in("fd00:1::200:5efe:0:0", 12),
	}
}

func lowest(p netip.Prefix) netip.Addr { return p.Masked().Addr() }

func highest(p netip.Prefix) netip.Addr { return filled(p, p.Bits()) }

func middle(p netip.Prefix) netip.Addr { return filled(p, min(p.Bits()+1, p.Addr().BitLen())) }

// filled is the first address of p with all bits from this one on set.
func filled(p netip.Prefix, from int) netip.Addr {
	b := lowest(p).AsSlice()
	for i := from; i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
