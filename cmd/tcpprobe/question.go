package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
)

// What an ordinary TCPProbe gives a run.
const (
	ordinaryRate    = 200 // packets per second and target
	deadlineSeconds = 50
)

// scenarioNames lists the scenarios for people: "Handshake, SequenceWrap/Push".
func scenarioNames() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(scenario.Registry)) {
		variants := scenario.Registry[name].Variants
		if len(variants) == 0 {
			out = append(out, name)
		}
		for _, v := range variants {
			out = append(out, name+"/"+v)
		}
	}
	return strings.Join(out, ", ")
}

// plan asks the question of every target from one node.
func (q *question) plan(node string, targets []netip.AddrPort) (*plan.Plan, error) {
	switch {
	case q.paths < 1 || q.paths > plan.MaxPaths:
		return nil, fmt.Errorf("--paths %d: want 1 to %d", q.paths, plan.MaxPaths)
	case !(q.alpha > 0 && q.alpha <= 0.1): // so that NaN is refused
		return nil, fmt.Errorf("--alpha %g: want more than 0 and at most 0.1", q.alpha)
	}
	p := &plan.Plan{
		APIVersion: plan.APIVersion, Run: strings.ToLower(rand.Text()[:10]), Sources: map[string][]int{},
		Paths: q.paths, PacketsPerSecond: q.packetsPerSecond, DeadlineSeconds: deadlineSeconds, Alpha: q.alpha,
	}
	for i, t := range targets {
		p.Targets = append(p.Targets, plan.Target{Address: t.Addr(), Port: t.Port(), Via: "Address"})
		p.Sources[node] = append(p.Sources[node], i)
	}
	for _, name := range q.scenarios {
		if err := addScenario(p, name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// addScenario adds "Type", with the first variant if the scenario has some, or "Type/Variant".
func addScenario(p *plan.Plan, name string) error {
	kind, variant, chosen := strings.Cut(name, "/")
	definition, known := scenario.Registry[kind]
	if known && !chosen && len(definition.Variants) > 0 {
		variant = definition.Variants[0]
	}
	if !known || (chosen || variant != "") && !slices.Contains(definition.Variants, variant) {
		return fmt.Errorf("--scenario %s: want one of %s", name, scenarioNames())
	}
	at := slices.IndexFunc(p.Scenarios, func(s plan.Scenario) bool { return s.Type == kind })
	if at < 0 {
		p.Scenarios = append(p.Scenarios, plan.Scenario{Type: kind})
		at = len(p.Scenarios) - 1
	}
	s := &p.Scenarios[at]
	if variant != "" && !slices.Contains(s.Variants, variant) {
		s.Variants = append(s.Variants, variant)
	}
	return nil
}
