package runplan

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// NoteMissing notes what the run would probe besides: nodes that cannot probe for now, where sources.max leaves room
// for them, and what failed and cannot be probed now. failed is nil if nothing that failed is open.
func (rp *RunPlan) NoteMissing(probe *v1alpha1.TCPProbe, res *target.Resolved, failed *v1alpha1.LastFailure) {
	m := &target.Missing{}
	room := int(probe.Spec.Sources.Max) - len(res.Sources.Planned)
	for _, n := range res.Sources.Unable {
		hadFailed := failed != nil && slices.Contains(failed.Nodes, n.Name)
		if !hadFailed && (!n.Passing || room <= 0) {
			continue
		}
		if room--; hadFailed {
			m.Nodes = append(m.Nodes, n.Name)
		}
		m.Pairs += len(spread(string(probe.UID)+"/"+n.Name, rp.Endpoints, maxEndpoints(probe)))
		m.What = appendBounded(m.What, "node "+n.String())
	}
	if failed != nil {
		rp.noteMissingPods(m, res.Unready, failed.Pods)
	}
	if len(m.What) > 0 {
		rp.Missing = m
	}
}

// noteMissingPods notes the pods that failed and are not Ready now.
func (rp *RunPlan) noteMissingPods(m *target.Missing, unready, failed []string) {
	for _, pod := range failed {
		if slices.Contains(unready, pod) && !slices.Contains(rp.Pods(), pod) {
			m.Pods = append(m.Pods, pod)
			m.Pairs += len(rp.Plan.Sources)
			m.What = appendBounded(m.What, "pod "+pod+" is not Ready")
		}
	}
}

// appendBounded appends to a list that the status has room for.
func appendBounded(list []string, what string) []string {
	if len(list) >= v1alpha1.MaxMissing {
		return list
	}
	return append(list, what)
}
