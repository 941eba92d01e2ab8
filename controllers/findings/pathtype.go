package findings

import (
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// pathType is that of all the pairs, or empty. SameNode is the plan's word, everything else the source's: of what is
// behind a pod's own device, it knows nothing.
func (t *Aggregate) pathType(pairs []Pair) string {
	kind := t.pairType(pairs[0])
	for _, p := range pairs {
		if t.pairType(p) != kind {
			return ""
		}
	}
	return string(kind)
}

func (t *Aggregate) pairType(p Pair) report.PathType {
	if t.sameNode(p) {
		return report.SameNode
	}
	i := slices.IndexFunc(t.Outcomes, func(o probepod.Outcome) bool { return o.Source == p.Source })
	if i < 0 || t.Outcomes[i].State != probepod.Reported {
		return report.Unknown
	}
	return t.Outcomes[i].Summary.PathType(slices.Index(t.RunPlan.Plan.Sources[p.Source], p.Target))
}

// tunnelled says of how many pairs the switches saw a tunnel instead of these segments.
func (t *Aggregate) tunnelled() []string {
	overlay, of := 0, 0
	for _, o := range t.Outcomes {
		for _, target := range t.RunPlan.Plan.Sources[o.Source] {
			switch t.pairType(Pair{o.Source, target}) {
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
