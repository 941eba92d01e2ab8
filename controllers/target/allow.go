package target

import (
	"flag"
	"fmt"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Allowances are what the administrator lets tenants do beyond probing the pods of their own Services.
type Allowances struct {
	Addresses []netip.Prefix // the ceiling for target.address; none: no address at all

	// PastEgressPolicies lets TCPProbes reach a consenting Service of another namespace although a NetworkPolicy
	// restricts egress of their own.
	PastEgressPolicies bool

	// HostNetwork lets probe pods run on the nodes' own network, and reach pods on it.
	HostNetwork bool

	ceiling string // the flag's value, parsed into Addresses
}

// BindFlags registers a flag for each allowance. By default nothing is allowed.
func (a *Allowances) BindFlags(f *flag.FlagSet) {
	f.StringVar(&a.ceiling, "address-ceiling", "", "ranges, such as 10.1.0.0/16,2001:db8::/32, that no TCPProbe's "+
		"target.address may be outside of, whatever its Namespace allows; default: no address at all")
	f.BoolVar(&a.HostNetwork, "host-network", false, "allow sources.network Host: probe pods, "+
		"with NET_RAW, NET_ADMIN and BPF, on the nodes' own network, and to pods there")
	f.BoolVar(&a.PastEgressPolicies, "past-egress-policies", false, "let TCPProbes reach consenting Services "+
		"of other namespaces even where a NetworkPolicy restricts egress of their own namespace")
}

// Complete parses the flags' values.
func (a *Allowances) Complete() (err error) {
	if a.Addresses, err = ParseRanges(a.ceiling); err != nil {
		return fmt.Errorf("--address-ceiling: %w", err)
	}
	return nil
}

// allowanceInput is the input of the rules about what the administrator allows.
type allowanceInput struct {
	probe *v1alpha1.TCPProbe
	allow Allowances
}

var allowanceRules = rules[allowanceInput]{
	// Probe pods on the nodes' own network see all of a node's traffic.
	{"host network", func(in allowanceInput) *Refusal {
		if in.probe.Spec.Sources.Network != v1alpha1.NetworkHost || in.allow.HostNetwork {
			return nil
		}
		return Refused(v1alpha1.ReasonHostNetworkDenied, "sources.network Host puts probe pods, with their capabilities, "+
			"on the nodes' own network, and the administrator has not enabled that; "+
			"use network Pod, or have the manager started with --host-network")
	}},
}
