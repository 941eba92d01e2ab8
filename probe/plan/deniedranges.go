package plan

import "net/netip"

// specialRange is a range of addresses that do not mean one host on the network.
type specialRange struct {
	prefix netip.Prefix
	what   string
	by     string // the document that sets it aside
	inside int    // if not 0: the byte offset of an IPv4 address that the packets go to; only that one is judged
}

// specialRanges are those of the special-purpose registries of IANA for IPv4 and IPv6 that are not probed, or not as
// they stand, and what clouds and RFCs add to them. The first that contains an address decides. What the registries
// have besides is probed as any other address: private, shared, documentation, benchmarking, AS112, class E.
var specialRanges = []specialRange{
	never("0.0.0.0/8", "unspecified", "RFC 1122 section 3.2.1.3"),
	never("127.0.0.0/8", "loopback", "RFC 1122 section 3.2.1.3"),
	never("169.254.0.0/16", "link-local or cloud metadata", "RFC 3927"),
	never("192.0.0.0/24", protocol, "RFC 6890 section 2.1"),
	never("192.88.99.0/24", translated, "RFC 7526"), // relays of 6to4
	never("224.0.0.0/4", "multicast", "RFC 5771"),
	never("255.255.255.255/32", "broadcast", "RFC 919"),

	never("::/128", "unspecified", "RFC 4291 section 2.5.2"),
	never("::1/128", "loopback", "RFC 4291 section 2.5.3"),
	never("::/96", clothed, "RFC 4291 section 2.5.5.1"),             // IPv4-compatible
	never("::ffff:0:0/96", clothed, "RFC 4291 section 2.5.5.2"),     // IPv4-mapped
	never("::ffff:0:0:0/96", clothed, "RFC 2765 section 2.1"),       // IPv4-translated, of SIIT
	leadsTo(12, "64:ff9b::/96", translated, "RFC 6052 section 2.1"), // NAT64
	never("64:ff9b:1::/48", translated, "RFC 8215"),                 // NAT64 by rules that only the translator knows
	leadsTo(2, "2002::/16", translated, "RFC 3056 section 2"),       // 6to4
	never("2001::/32", translated, "RFC 4380 section 4"),            // Teredo: a tunnel to a port of an IPv4 host
	never("2001:10::/28", identifier, "RFC 4843"),                   // ORCHID
	never("2001:20::/28", identifier, "RFC 7343"),                   // ORCHIDv2
	never("2001:30::/28", identifier, "RFC 9374"),                   // of drones
	never("5f00::/16", identifier, "RFC 9602"),                      // segment routing: instructions for routers
	never("100::/64", "discarded", "RFC 6666"),
	never("100:0:0:1::/64", "discarded", "RFC 9780"),
	never("fe80::/10", "link-local", "RFC 4291 section 2.5.6"),
	never("ff00::/8", "multicast", "RFC 4291 section 2.7"),

	never("168.63.129.16/32", metadata, "Azure, its wire server"),
	never("100.100.100.200/32", metadata, "Alibaba Cloud"),
	never("fd00:ec2::254/128", metadata, "AWS"),
	never("fd20:ce::254/128", metadata, "Google Cloud"),
	never("fd00:c1::a9fe:a9fe/128", metadata, "Oracle Cloud"),
	never("fd00:a9fe:a9fe::1/128", metadata, "Akamai (Linode)"),
}

const (
	clothed    = "an IPv4 address in IPv6 clothes"
	translated = "of a tunnel or translator"
	identifier = "no address of a host"
	protocol   = "of a protocol of the IETF"
	metadata   = "cloud metadata"
)

func never(prefix, what, by string) specialRange {
	return specialRange{prefix: netip.MustParsePrefix(prefix), what: what, by: by}
}

func leadsTo(offset int, prefix, what, by string) specialRange {
	s := never(prefix, what, by)
	s.inside = offset
	return s
}

func specialRangeOf(a netip.Addr) (specialRange, bool) {
	for _, s := range specialRanges {
		if s.prefix.Contains(a) {
			return s, true
		}
	}
	return specialRange{}, false
}
