package findings

import (
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Failed names the sources and the pods that failed, sorted. A finding of one source or endpoint is about that.
func (agg *Aggregate) Failed() (sources, pods []string) {
	bySource, byPod := make(map[string]bool), make(map[string]bool)
	for _, c := range agg.causes() {
		if c.answers[0].Verdict != report.Fail {
			continue
		}
		for _, p := range c.Pairs {
			if pod := agg.RunPlan.Plan.Targets[p.Target].Name; c.targetFails() && pod != "" {
				byPod[pod] = true
			}
			if c.sourceFails() {
				bySource[p.Source] = true
			}
		}
		if c.Scope == v1alpha1.ScopeTopology {
			bySource[c.Source] = true
		}
	}
	return slices.Sorted(maps.Keys(bySource)), slices.Sorted(maps.Keys(byPod))
}

func (c cause) sourceFails() bool {
	return c.Scope == v1alpha1.ScopeSource || c.Scope == v1alpha1.ScopePair || c.Scope == v1alpha1.ScopeAll
}

func (c cause) targetFails() bool {
	return c.Scope == v1alpha1.ScopeTarget || c.Scope == v1alpha1.ScopePair || c.Scope == v1alpha1.ScopeAll
}
