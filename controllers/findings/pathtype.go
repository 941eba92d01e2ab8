package findings

import (
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// pathType is that of all the pairs, or empty. SameNode follows from the plan. Everything else is what the source
// reported: it only sees its own device.
func (agg *Aggregate) pathType(pairs []Pair) string {
	kind := agg.pairType(pairs[0])
	for _, p := range pairs {
		if agg.pairType(p) != kind {
			return ""
		}
	}
	return string(kind)
}

func (agg *Aggregate) pairType(p Pair) report.PathType {
	if agg.sameNode(p) {
		return report.SameNode
	}
	i := slices.IndexFunc(agg.Outcomes, func(o probepod.Outcome) bool { return o.Source == p.Source })
	if i < 0 || agg.Outcomes[i].State != probepod.Reported {
		return report.Unknown
	}
	return agg.Outcomes[i].Summary.PathType(slices.Index(agg.RunPlan.Plan.Sources[p.Source], p.Target))
}

// overlayNote says of how many pairs the switches saw a tunnel instead of these segments.
func (agg *Aggregate) overlayNote() []string {
	overlay, of := 0, 0
	for _, o := range agg.Outcomes {
		for _, target := range agg.RunPlan.Plan.Sources[o.Source] {
			switch agg.pairType(Pair{o.Source, target}) {
			case report.SameNode:
				continue
			case report.Overlay:
				overlay++
			}
			of++
		}
	}
	if overlay == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d pairs across the network went through an overlay: the switches saw a tunnel "+
		"and not these segments; to show them those, probe pods of the host network with sources.network Host", overlay, of)}
}
