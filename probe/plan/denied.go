package plan

import "net/netip"

// addressClass is a group of address ranges that are never probed.
type addressClass struct {
	why    string
	ranges []netip.Prefix
}

var denied = []addressClass{
	{"unspecified", prefixes("0.0.0.0/8", "::/128")},               // RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2
	{"loopback", prefixes("127.0.0.0/8", "::1/128")},               // RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3
	{"link-local or cloud metadata", prefixes("169.254.0.0/16")},   // RFC 3927
	{"link-local", prefixes("fe80::/10")},                          // RFC 4291 section 2.5.6
	{"multicast", prefixes("224.0.0.0/4", "ff00::/8")},             // RFC 5771, RFC 4291 section 2.7
	{"broadcast", prefixes("255.255.255.255/32")},                  // RFC 919
	{"an IPv4 address in IPv6 clothes", prefixes("::/96", mapped)}, // RFC 4291 section 2.5.5
	{"cloud metadata", prefixes(
		"168.63.129.16/32",       // Azure's wire server
		"100.100.100.200/32",     // Alibaba Cloud
		"fd00:ec2::254/128",      // AWS
		"fd20:ce::254/128",       // Google Cloud
		"fd00:c1::a9fe:a9fe/128", // Oracle Cloud
		"fd00:a9fe:a9fe::1/128",  // Akamai (Linode)
	)},
}

const mapped = "::ffff:0:0/96"

// embeddings are IPv6 ranges whose addresses contain an IPv4 address at a byte offset, which a translator sends the
// packets to.
var embeddings = []struct {
	in     netip.Prefix
	offset int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64, RFC 6052 section 2.1
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4, RFC 3056 section 2
}

// Denied reports whether a is in a class of addresses that is never probed, and which class: loopback, link-local,
// multicast, unspecified, broadcast, cloud metadata, IPv4 in IPv6 form, or not an address. Both the operator and the
// prober check this, so that neither has to trust the other.
func Denied(a netip.Addr) (why string, yes bool) {
	if !a.IsValid() {
		return "no address", true
	}
	a = a.WithZone("")
	for _, c := range denied {
		for _, r := range c.ranges {
			if r.Contains(a) {
				return c.why, true
			}
		}
	}
	if inner, ok := Embedded(a); ok {
		return Denied(inner)
	}
	return "", false
}

// Embedded returns the IPv4 address that a translator derives from a. It returns false if a is not in such a range.
func Embedded(a netip.Addr) (netip.Addr, bool) {
	for _, e := range embeddings {
		if e.in.Contains(a) {
			b := a.As16()
			return netip.AddrFrom4([4]byte(b[e.offset:])), true
		}
	}
	return netip.Addr{}, false
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}
