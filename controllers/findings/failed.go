package findings

import (
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Failed names the sources and the pods that failed, sorted. A finding of one node or of one endpoint blames that.
func (agg *Aggregate) Failed() (nodes, pods []string) {
	sources, targets := make(map[string]bool), make(map[string]bool)
	for _, c := range agg.causes() {
		if c.answers[0].Verdict != report.Fail {
			continue
		}
		for _, p := range c.Pairs {
			if pod := agg.RunPlan.Plan.Targets[p.Target].Name; c.blamesTargets() && pod != "" {
				targets[pod] = true
			}
			if c.blamesSources() {
				sources[p.Source] = true
			}
		}
		if c.Scope == v1alpha1.ScopeTopology {
			sources[c.Source] = true
		}
	}
	return slices.Sorted(maps.Keys(sources)), slices.Sorted(maps.Keys(targets))
}

func (c cause) blamesSources() bool {
	return c.Scope == v1alpha1.ScopeSource || c.Scope == v1alpha1.ScopePair || c.Scope == v1alpha1.ScopeAll
}

func (c cause) blamesTargets() bool {
	return c.Scope == v1alpha1.ScopeTarget || c.Scope == v1alpha1.ScopePair || c.Scope == v1alpha1.ScopeAll
}
