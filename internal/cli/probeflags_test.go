package cli

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
)

func ask(scenarios ...string) *ProbeFlags {
	return &ProbeFlags{Scenarios: scenarios, Paths: DefaultPaths, Alpha: DefaultAlpha, PacketsPerSecond: OrdinaryRate,
		FinReorderFlags: FinReorderFlags{GapMillis: DefaultGap}}
}

var someTargets = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:443"),
	netip.MustParseAddrPort("[2001:db8::7]:443")}

// What a command line asks for is a plan that the prober accepts too.
func TestPlanIsValid(t *testing.T) {
	p, err := ask("Handshake", "SequenceWrap").Plan("host", someTargets)
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

func TestKernelConnectionsCanBeOff(t *testing.T) {
	for on, want := range map[bool]string{true: "", false: plan.Off} {
		q := ask("SequenceWrap")
		q.KernelConnections = on
		if p, err := q.Plan("host", someTargets); err != nil || p.KernelConnections != want || p.Validate() != nil {
			t.Errorf("%v: %v, %+v", on, err, p)
		}
	}
	command := &cobra.Command{}
	var q ProbeFlags
	if q.Register(command); !q.KernelConnections {
		t.Error("off without being asked")
	}
}

func TestScenariosAreNamedOnce(t *testing.T) {
	p, err := ask("SequenceWrap/Push", "SequenceWrap").Plan("host", someTargets)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Checks(); len(got) != 1 {
		t.Errorf("checks %v, want one", got)
	}
}

func TestPlanRefuses(t *testing.T) {
	few, many, sure, wild, no := ask("Handshake"), ask("Handshake"), ask("Handshake"), ask("Handshake"), ask("Handshake")
	few.Paths, many.Paths, sure.Alpha, wild.Alpha, no.Alpha = 0, plan.MaxPaths+1, 0, 0.2, math.NaN()
	for want, q := range map[string][]*ProbeFlags{
		"--paths": {few, many},
		"--alpha": {sure, wild, no},
		"--scenario": {ask("Teardrop"), ask("Handshake/Push"), ask("SequenceWrap/Pull"), ask("SequenceWrap/"),
			ask("Handshake/all"), ask("")},
	} {
		for _, one := range q {
			if _, err := one.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want a word about %s", one, err, want)
			}
		}
	}
}

func TestAllVariants(t *testing.T) {
	variants := scenario.Registry["SequenceWrap"].Variants
	p, err := ask("SequenceWrap/Push", "SequenceWrap/all").Plan("host", someTargets)
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(p.Scenarios[0].Variants)),
		slices.Sorted(slices.Values(variants))) {
		t.Errorf("%v, variants %v, want %v", err, p.Scenarios[0].Variants, variants)
	}
}

func TestPayload(t *testing.T) {
	q := ask("Handshake", "SequenceWrap")
	q.payload = `HELO \r\n`
	p, err := q.Plan("host", someTargets)
	if err != nil || p.Scenarios[0].Payload != "HELO \r\n" || p.Scenarios[1].Payload != "HELO \r\n" {
		t.Errorf("%v: %+v", err, p)
	}
	q.payload = strings.Repeat("x", plan.MaxPayload+1)
	if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "--payload") {
		t.Errorf("a long payload: %v", err)
	}
}

// There is time for every flow to meet a fault, but never more than a prober accepts.
func TestDeadlineScalesWithTheWork(t *testing.T) {
	few, many, said := ask("SequenceWrap"), ask("SequenceWrap", "Handshake"), ask("SequenceWrap")
	few.Paths, many.Paths, said.Deadline = 1, plan.MaxPaths, 90*time.Second
	for q, want := range map[*ProbeFlags]int{few: 30 + flowSegments/200, many: 30 + 2*256*flowSegments/200, said: 90} {
		if p, err := q.Plan("host", someTargets); err != nil || p.DeadlineSeconds != want {
			t.Errorf("%+v: %v, deadline %d s, want %d", q, err, p.DeadlineSeconds, want)
		}
	}
	for _, no := range []time.Duration{-time.Second, time.Millisecond, 2 * time.Hour} {
		q := ask("Handshake")
		q.Deadline = no
		if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "--deadline") {
			t.Errorf("a deadline of %s: %v", no, err)
		}
	}
}
