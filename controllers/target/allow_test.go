package target

import (
	"flag"
	"testing"
)

const noHostNetwork = "HostNetworkDenied: sources.network Host puts probe pods, with their capabilities, " +
	"on the nodes' own network, and the administrator has not enabled that; " +
	"use network Pod, or have the manager started with --host-network"

func TestTheHostNetworkHasToBeAllowed(t *testing.T) {
	expect(t, allowanceRules, allowanceInput{probeWith(), Allowances{}}, "")
	expect(t, allowanceRules, allowanceInput{probeWith(), Allowances{HostNetwork: true}}, "")
	expect(t, allowanceRules, allowanceInput{probeWith(onHosts), Allowances{HostNetwork: true}}, "")
	expect(t, allowanceRules, allowanceInput{probeWith(onHosts), Allowances{PastEgressPolicies: true}}, noHostNetwork)
}

// TestNothingIsAllowedUnlessAFlagSaysSo: each flag allows one thing.
func TestNothingIsAllowedUnlessAFlagSaysSo(t *testing.T) {
	for _, c := range []struct {
		args   []string
		ranges string
		past   bool
		host   bool
	}{
		{nil, "", false, false},
		{[]string{"--address-ceiling", "10.1.0.0/16,2001:db8::/32"}, "10.1.0.0/16, 2001:db8::/32", false, false},
		{[]string{"--past-egress-policies"}, "", true, false},
		{[]string{"--host-network"}, "", false, true},
	} {
		var a Allowances
		flags := flag.NewFlagSet("manager", flag.ContinueOnError)
		a.BindFlags(flags)
		if err := flags.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		if err := a.Complete(); err != nil || joined(a.Addresses) != c.ranges || a.PastEgressPolicies != c.past ||
			a.HostNetwork != c.host {
			t.Errorf("%q: %+v, %v", c.args, a, err)
		}
	}
}

func TestMistakenCeilingIsNotGuessed(t *testing.T) {
	a := Allowances{ceiling: "10.1.2.3"}
	expectError(t, a.Complete(), `error: --address-ceiling: "10.1.2.3" is no range; write one such as 10.1.0.0/16, `+
		"or 10.1.2.3/32 for one address")
	if a.Addresses != nil {
		t.Errorf("ranges %v", a.Addresses)
	}
}
