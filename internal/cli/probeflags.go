package cli

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
)

// ProbeFlags are the flags that say what to probe for.
type ProbeFlags struct {
	Scenarios []string
	payloadFlags
	Paths            int
	Alpha            float64
	PacketsPerSecond int           // per target
	Deadline         time.Duration // 0: computed from the number of flows
	// beside SequenceWrap's crafted flows
	KernelConnections bool
	FinReorderFlags
	acceptQueueFlags
	idleTimeoutFlags
}

// Defaults. The number of flows meets one bad path of eight with a probability of 88 %. The error suits a run that a
// person watches. The rate is that of an ordinary TCPProbe.
const (
	DefaultPaths = 16
	DefaultAlpha = 1e-3
	OrdinaryRate = 200 // packets per second and target
)

// Register adds the flags to the command.
func (q *ProbeFlags) Register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&q.Scenarios, "scenario", []string{"Handshake", "SequenceWrap"}, "what to ask: "+scenarioNames()+
		"; may be repeated; a scenario alone means its first variant")
	q.payloadFlags.register(cmd)
	f.IntVar(&q.Paths, "paths", DefaultPaths,
		fmt.Sprintf("flows per target and scenario, each from another source port and so perhaps over another path: 1 to %d",
			plan.MaxPaths))
	f.BoolVar(&q.KernelConnections, "kernel-connections", true,
		"also make ordinary connections of this host's kernel: beside SequenceWrap some whose numbers cross 0, and nothing "+
			"passes against them; beside Handshake and FinReorder one, which this host's own rules may stop")
	q.FinReorderFlags.register(cmd)
	q.acceptQueueFlags.register(cmd)
	q.idleTimeoutFlags.register(cmd)
	f.Float64Var(&q.Alpha, "alpha", DefaultAlpha, "bound on the chance that a Fail is a false alarm: above 0, up to 0.1")
	f.IntVar(&q.PacketsPerSecond, "packets-per-second", q.PacketsPerSecond,
		fmt.Sprintf("ceiling for the segments to each target in a second: %d to %d", plan.MinRate, plan.MaxRate))
}

// scenarioNames lists the scenarios for people: "Handshake, SequenceWrap/Push|Data|all".
func scenarioNames() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(scenario.Registry)) {
		if variants := scenario.Registry[name].Variants; len(variants) > 0 {
			name += "/" + strings.Join(variants, "|") + "|" + AllVariants
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

// Plan is the plan of a run from one node to the targets.
func (q *ProbeFlags) Plan(node string, targets []netip.AddrPort) (*plan.Plan, error) {
	switch {
	case q.Paths < 1 || q.Paths > plan.MaxPaths:
		return nil, fmt.Errorf("--paths %d: want 1 to %d", q.Paths, plan.MaxPaths)
	case !(q.Alpha > 0 && q.Alpha <= plan.MaxAlpha): // so that NaN is refused
		return nil, fmt.Errorf("--alpha %g: want more than 0 and at most %g", q.Alpha, plan.MaxAlpha)
	case q.PacketsPerSecond < plan.MinRate || q.PacketsPerSecond > plan.MaxRate:
		return nil, fmt.Errorf("--packets-per-second %d: want %d to %d", q.PacketsPerSecond, plan.MinRate, plan.MaxRate)
	}
	p := &plan.Plan{
		APIVersion: plan.APIVersion, Run: strings.ToLower(rand.Text()[:10]), Sources: map[string][]int{},
		Paths: q.Paths, PacketsPerSecond: q.PacketsPerSecond, Alpha: q.Alpha,
	}
	if !q.KernelConnections {
		p.KernelConnections = plan.Off
	}
	for i, t := range targets {
		p.Targets = append(p.Targets, plan.Target{Address: t.Addr(), Port: t.Port(), Via: "Address"})
		p.Sources[node] = append(p.Sources[node], i)
	}
	for _, name := range q.Scenarios {
		if err := addScenario(p, name); err != nil {
			return nil, err
		}
	}
	err := errors.Join(q.payloadFlags.apply(p), q.FinReorderFlags.apply(p), q.acceptQueueFlags.apply(p),
		q.idleTimeoutFlags.apply(p))
	if err != nil {
		return nil, err
	}
	p.DeadlineSeconds, err = q.deadlineSeconds(p)
	return p, err
}

// flowSegments is more than a flow sends to find a fault and confirm it. slack is how long the slowest peer makes it
// wait.
const (
	flowSegments = 400
	slack        = 30 // seconds
)

// deadlineSeconds is --deadline, or else what the plan's flows need at its rate if each of them meets a fault.
func (q *ProbeFlags) deadlineSeconds(p *plan.Plan) (int, error) {
	if q.Deadline != 0 {
		s := int(q.Deadline.Round(time.Second) / time.Second)
		if s < 1 || s > plan.MaxDeadline {
			return 0, fmt.Errorf("--deadline %s: want 1s to %s", q.Deadline, plan.MaxDeadline*time.Second)
		}
		return s, fitsIdling(p, s)
	}
	segments := 0
	for _, c := range p.Checks() {
		segments += flowSegments * cmp.Or(scenario.Registry[c.Type].Flows, p.Paths)
	}
	s := slack + segments/p.PacketsPerSecond + q.acceptQueueFlags.seconds(p) + idleSeconds(p)
	return min(s, plan.MaxDeadline), nil
}

// AllVariants stands for all variants of a scenario.
const AllVariants = "all"

// addScenario adds "Type" (with the first variant if the scenario has variants), "Type/Variant" or "Type/all".
func addScenario(p *plan.Plan, name string) error {
	kind, variant, chosen := strings.Cut(name, "/")
	definition, known := scenario.Registry[kind]
	var variants []string
	switch {
	case chosen && variant == AllVariants:
		variants = definition.Variants
	case chosen:
		variants = []string{variant}
	case len(definition.Variants) > 0:
		variants = definition.Variants[:1]
	}
	unknown := func(v string) bool { return !slices.Contains(definition.Variants, v) }
	if !known || slices.ContainsFunc(variants, unknown) || chosen && len(variants) == 0 {
		return fmt.Errorf("--scenario %s: want one of %s", name, scenarioNames())
	}
	at := slices.IndexFunc(p.Scenarios, func(s plan.Scenario) bool { return s.Type == kind })
	if at < 0 {
		p.Scenarios = append(p.Scenarios, plan.Scenario{Type: kind})
		at = len(p.Scenarios) - 1
	}
	s := &p.Scenarios[at]
	for _, v := range variants {
		if !slices.Contains(s.Variants, v) {
			s.Variants = append(s.Variants, v)
		}
	}
	return nil
}
