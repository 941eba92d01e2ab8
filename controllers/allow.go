package controllers

import "net/netip"

// Allowances are what the administrator lets tenants do beyond probing the pods of their own Services.
type Allowances struct {
	Addresses []netip.Prefix // the ceiling for target.address; none: no address at all

	// PastEgressPolicies lets TCPProbes reach a consenting Service of another namespace although a NetworkPolicy restricts
	// egress of their own.
	PastEgressPolicies bool
}
