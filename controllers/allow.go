package controllers

// Allowances are what the administrator lets tenants do beyond probing the pods of their own Services.
type Allowances struct {
	// PastEgressPolicies lets TCPProbes reach a consenting Service of another namespace although a NetworkPolicy restricts
	// egress of their own.
	PastEgressPolicies bool
}
