package plan

import "net/netip"

// Denied reports whether a is in a range of addresses that is never probed, and what that is, or is not an address. An
// IPv6 address that leads to an IPv4 address is judged as that one. Both the operator and the prober check this, so
// that neither has to trust the other.
func Denied(a netip.Addr) (why string, yes bool) {
	if !a.IsValid() {
		return "no address", true
	}
	a = a.WithZone("")
	if inner, ok := Embedded(a); ok {
		return Denied(inner)
	}
	s, yes := specialRangeOf(a)
	return s.what, yes
}

// Embedded returns the IPv4 address that a translator or tunnel derives from a. It returns false if there is none.
func Embedded(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() {
		return netip.Addr{}, false
	}
	b := a.As16()
	switch s, special := specialRangeOf(a.WithZone("")); {
	case special && s.inside != 0:
		return netip.AddrFrom4([4]byte(b[s.inside:])), true
	case special:
		return netip.Addr{}, false
	case isISATAP(b):
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return netip.Addr{}, false
}

// isISATAP reports that the interface identifier is 0000:5efe or 0200:5efe and an IPv4 address, to which ISATAP tunnels
// under whatever prefix (RFC 5214 section 6.1).
func isISATAP(b [16]byte) bool {
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
