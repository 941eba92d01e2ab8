package controllers

import (
	"net/netip"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Allowances are what the administrator lets tenants do beyond probing the pods of their own Services.
type Allowances struct {
	Addresses []netip.Prefix // the ceiling for target.address; none: no address at all

	// PastEgressPolicies lets TCPProbes reach a consenting Service of another namespace although a NetworkPolicy restricts
	// egress of their own.
	PastEgressPolicies bool

	// HostNetwork lets probe pods run on the nodes' own network, and probe pods that are there too.
	HostNetwork bool
}

// refuseNetwork reports that the administrator has not enabled the network that the probe wants to send from.
func (a Allowances) refuseNetwork(probe *v1alpha1.TCPProbe) *Refusal {
	if probe.Spec.Sources.Network != v1alpha1.NetworkHost || a.HostNetwork {
		return nil
	}
	return refused(v1alpha1.ReasonHostNetworkDenied, "sources.network Host puts probe pods, with their capabilities, on the nodes' own network, and the administrator has not enabled that; "+
		"use network Pod, or have the manager started with --host-network")
}
