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

func probeFlags(scenarios ...string) *ProbeFlags {
	return &ProbeFlags{Scenarios: scenarios, Paths: DefaultPaths, Alpha: DefaultAlpha, PacketsPerSecond: OrdinaryRate,
		FinReorderFlags: FinReorderFlags{GapMillis: DefaultGap}}
}

var someTargets = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:443"),
	netip.MustParseAddrPort("[2001:db8::7]:443")}

// TestPlanIsValid: the prober accepts the plan of a command line.
func TestPlanIsValid(t *testing.T) {
	p, err := probeFlags("Handshake", "SequenceWrap").Plan("host", someTargets)
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
		q := probeFlags("SequenceWrap")
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
	p, err := probeFlags("SequenceWrap/Push", "SequenceWrap").Plan("host", someTargets)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Checks(); len(got) != 1 {
		t.Errorf("checks %v, want one", got)
	}
}

func TestPlanRefuses(t *testing.T) {
	flags := func(change func(*ProbeFlags)) *ProbeFlags {
		q := probeFlags("Handshake")
		change(q)
		return q
	}
	for want, refused := range map[string][]*ProbeFlags{
		"--paths": {
			flags(func(q *ProbeFlags) { q.Paths = 0 }), flags(func(q *ProbeFlags) { q.Paths = plan.MaxPaths + 1 }),
		},
		"--alpha": {
			flags(func(q *ProbeFlags) { q.Alpha = 0 }), flags(func(q *ProbeFlags) { q.Alpha = 0.2 }),
			flags(func(q *ProbeFlags) { q.Alpha = math.NaN() }),
		},
		"--scenario": {
			probeFlags("Teardrop"), probeFlags("Handshake/Push"), probeFlags("SequenceWrap/Pull"),
			probeFlags("SequenceWrap/"), probeFlags("Handshake/all"), probeFlags(""),
		},
	} {
		for _, q := range refused {
			if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want an error about %s", q, err, want)
			}
		}
	}
}

func TestAllVariants(t *testing.T) {
	variants := scenario.Registry["SequenceWrap"].Variants
	p, err := probeFlags("SequenceWrap/Push", "SequenceWrap/all").Plan("host", someTargets)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(p.Scenarios[0].Variants))
	if want := slices.Sorted(slices.Values(variants)); !slices.Equal(got, want) {
		t.Errorf("variants %v, want %v", got, want)
	}
}

// TestDeadlineScalesWithTheWork: the deadline is long enough for every flow to meet a fault, but never longer than a
// prober accepts.
func TestDeadlineScalesWithTheWork(t *testing.T) {
	few, many, said := probeFlags("SequenceWrap"), probeFlags("SequenceWrap", "Handshake"), probeFlags("SequenceWrap")
	few.Paths, many.Paths, said.Deadline = 1, plan.MaxPaths, 90*time.Second
	queue := probeFlags("AcceptQueue")
	queue.MaxConnections = 20
	for q, want := range map[*ProbeFlags]int{few: 30 + flowSegments/200, many: 30 + 2*256*flowSegments/200, said: 90,
		queue: 30 + flowSegments/200 + len(someTargets)*(2+30+20)} {
		if p, err := q.Plan("host", someTargets); err != nil || p.DeadlineSeconds != want {
			t.Errorf("%+v: %v, deadline %d s, want %d", q, err, p.DeadlineSeconds, want)
		}
	}
	for _, no := range []time.Duration{-time.Second, time.Millisecond, 2 * time.Hour} {
		q := probeFlags("Handshake")
		q.Deadline = no
		if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "--deadline") {
			t.Errorf("a deadline of %s: %v", no, err)
		}
	}
}
