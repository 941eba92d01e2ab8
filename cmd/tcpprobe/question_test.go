package main

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

func ask(scenarios ...string) *question {
	return &question{scenarios: scenarios, paths: defaultPaths, alpha: defaultAlpha, packetsPerSecond: ordinaryRate, closing: closing{gapMillis: defaultGap}}
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
		"--scenario": {ask("Teardrop"), ask("Handshake/Push"), ask("SequenceWrap/Pull"), ask("SequenceWrap/"), ask("Handshake/all"), ask("")},
	} {
		for _, one := range q {
			if _, err := one.plan("host", someTargets); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want a word about %s", one, err, want)
			}
		}
	}
}

func TestAllVariants(t *testing.T) {
	variants := scenario.Registry["SequenceWrap"].Variants
	p, err := ask("SequenceWrap/Push", "SequenceWrap/all").plan("host", someTargets)
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(p.Scenarios[0].Variants)), slices.Sorted(slices.Values(variants))) {
		t.Errorf("%v, variants %v, want %v", err, p.Scenarios[0].Variants, variants)
	}
}

func TestPayload(t *testing.T) {
	q := ask("Handshake", "SequenceWrap")
	q.payload = `HELO \r\n`
	p, err := q.plan("host", someTargets)
	if err != nil || p.Scenarios[0].Payload != "HELO \r\n" || p.Scenarios[1].Payload != "HELO \r\n" {
		t.Errorf("%v: %+v", err, p)
	}
	q.payload = strings.Repeat("x", plan.MaxPayload+1)
	if _, err := q.plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "--payload") {
		t.Errorf("a long payload: %v", err)
	}
}

// There is time for every flow to meet a fault, but never more than a prober accepts.
func TestDeadlineScalesWithTheWork(t *testing.T) {
	few, many, said := ask("SequenceWrap"), ask("SequenceWrap", "Handshake"), ask("SequenceWrap")
	few.paths, many.paths, said.deadline = 1, plan.MaxPaths, 90*time.Second
	for q, want := range map[*question]int{few: 30 + flowSegments/200, many: 30 + 2*256*flowSegments/200, said: 90} {
		if p, err := q.plan("host", someTargets); err != nil || p.DeadlineSeconds != want {
			t.Errorf("%+v: %v, deadline %d s, want %d", q, err, p.DeadlineSeconds, want)
		}
	}
	for _, no := range []time.Duration{-time.Second, time.Millisecond, 2 * time.Hour} {
		q := ask("Handshake")
		q.deadline = no
		if _, err := q.plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "--deadline") {
			t.Errorf("a deadline of %s: %v", no, err)
		}
	}
}

// The help of --scenario names every scenario, each with its variants.
func TestHelpNamesScenariosAndVariants(t *testing.T) {
	for _, command := range []string{"run", "lab"} {
		help := tcpprobe(t, command, "--help").stdout
		for name, definition := range scenario.Registry {
			want := name
			if len(definition.Variants) > 0 {
				want += "/" + strings.Join(variant.Names(variant.Any), "|") + "|" + everyVariant
			}
			if !strings.Contains(strings.Join(strings.Fields(help), " "), want) {
				t.Errorf("tcpprobe %s --help does not have %s", command, want)
			}
		}
	}
}
