package main

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

func ask(scenarios ...string) *question {
	return &question{scenarios: scenarios, paths: defaultPaths, alpha: defaultAlpha, packetsPerSecond: ordinaryRate}
}

var someTargets = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:443"), netip.MustParseAddrPort("[2001:db8::7]:443")}

// What a command line asks for is a plan that the prober accepts too.
func TestPlanIsValid(t *testing.T) {
	p, err := ask("Handshake", "SequenceWrap").plan("host", someTargets)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	want := []plan.Check{{Scenario: 0, Type: "Handshake"}, {Scenario: 1, Type: "SequenceWrap", Variant: "Push"}}
	if got := p.Checks(); !slices.Equal(got, want) {
		t.Errorf("checks %v, want %v", got, want)
	}
	for _, target := range someTargets {
		if !p.Allows(target) {
			t.Errorf("%s is not in the plan", target)
		}
	}
	if got := p.Sources["host"]; !slices.Equal(got, []int{0, 1}) {
		t.Errorf("the host probes %v", got)
	}
}

func TestScenariosAreNamedOnce(t *testing.T) {
	p, err := ask("SequenceWrap/Push", "SequenceWrap").plan("host", someTargets)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Checks(); len(got) != 1 {
		t.Errorf("checks %v, want one", got)
	}
}

func TestPlanRefuses(t *testing.T) {
	few, many, sure, wild, no := ask("Handshake"), ask("Handshake"), ask("Handshake"), ask("Handshake"), ask("Handshake")
	few.paths, many.paths, sure.alpha, wild.alpha, no.alpha = 0, plan.MaxPaths+1, 0, 0.2, math.NaN()
	for want, q := range map[string][]*question{
		"--paths":    {few, many},
		"--alpha":    {sure, wild, no},
		"--scenario": {ask("Teardrop"), ask("Handshake/Push"), ask("SequenceWrap/Pull"), ask("SequenceWrap/"), ask("")},
	} {
		for _, one := range q {
			if _, err := one.plan("host", someTargets); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want a word about %s", one, err, want)
			}
		}
	}
}

func TestLackingCapabilities(t *testing.T) {
	const all = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW | 1<<unix.CAP_BPF
	for effective, want := range map[uint64][]string{
		all: nil,
		all&^(1<<unix.CAP_BPF) | 1<<unix.CAP_SYS_ADMIN: nil,
		all &^ (1 << unix.CAP_BPF):                     {"BPF"},
		1 << unix.CAP_BPF:                              {"NET_ADMIN", "NET_RAW"},
		0:                                              {"NET_ADMIN", "NET_RAW", "BPF"},
	} {
		if got := lacking(effective); !slices.Equal(got, want) {
			t.Errorf("%#x lacks %v, want %v", effective, got, want)
		}
	}
}
