package runplan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// AcceptQueue fills a listener's queue. So each pod is asked by one source only, at one address.

// restrictAcceptQueue restricts the run's AcceptQueue scenarios to one source and one address for each pod that is not
// spared. Pairs that are then asked nothing are dropped.
func (rp *RunPlan) restrictAcceptQueue(seed string) {
	only := rp.assignQueues(rp.fillable(), seed)
	for i := range rp.Plan.Scenarios {
		if s := &rp.Plan.Scenarios[i]; s.Type == string(v1alpha1.AcceptQueue) {
			s.Only = only
		}
	}
	for source, targets := range rp.Plan.Sources {
		rp.Plan.Sources[source] = slices.DeleteFunc(targets, func(target int) bool {
			return !rp.asksAnything(source, target)
		})
		if len(rp.Plan.Sources[source]) == 0 {
			delete(rp.Plan.Sources, source)
		}
	}
}

// fillable names the pods whose queues may be filled, of those that any source has.
func (rp *RunPlan) fillable() []string {
	return slices.DeleteFunc(rp.Pods(), func(pod string) bool {
		return slices.Contains(rp.Spared, pod) || len(rp.sourcesOf(rp.firstOf(pod))) == 0
	})
}

// assignQueues assigns each pod's first address to one source, on another node if there is one. It takes the source
// that has the fewest queues so far, because a source fills one queue after the other.
func (rp *RunPlan) assignQueues(pods []string, seed string) map[string][]int {
	only := make(map[string][]int)
	for source := range rp.Plan.Sources { // an empty map would restrict nothing
		only[source] = nil
	}
	for _, pod := range pods {
		first := rp.firstOf(pod)
		sources := rp.sourcesOf(first)
		onFirst := func(source string) bool { return rp.SameNode(source, first) }
		if away := slices.DeleteFunc(slices.Clone(sources), onFirst); len(away) > 0 {
			sources = away
		}
		source := slices.MinFunc(sources, func(a, b string) int {
			return cmp.Or(cmp.Compare(len(only[a]), len(only[b])),
				cmp.Compare(target.Weight(seed+"/"+pod, a), target.Weight(seed+"/"+pod, b)))
		})
		only[source] = append(only[source], first)
	}
	return only
}

// firstOf is the index of the pod's first address.
func (rp *RunPlan) firstOf(pod string) int {
	return slices.IndexFunc(rp.Endpoints, func(e target.Endpoint) bool { return e.Pod == pod })
}

// sourcesOf lists the sources that have the target.
func (rp *RunPlan) sourcesOf(target int) []string {
	var out []string
	for _, source := range slices.Sorted(maps.Keys(rp.Plan.Sources)) {
		if slices.Contains(rp.Plan.Sources[source], target) {
			out = append(out, source)
		}
	}
	return out
}

func (rp *RunPlan) asksAnything(source string, target int) bool {
	for _, c := range rp.Plan.Checks() {
		if rp.Plan.Asks(source, c, target) {
			return true
		}
	}
	return false
}

// FillsFrom reports whether the source fills any queue.
func (rp *RunPlan) FillsFrom(source string) bool {
	return slices.ContainsFunc(rp.Plan.Scenarios, func(s plan.Scenario) bool {
		return s.Type == string(v1alpha1.AcceptQueue) && (len(s.Only) == 0 || len(s.Only[source]) > 0)
	})
}

// FillsNote is the part of Accepted's message that says how many queues are filled. It is "" if none are.
func (rp *RunPlan) FillsNote() string {
	filled := 0
	for _, s := range rp.Plan.Scenarios {
		n := 0
		for _, targets := range s.Only {
			n += len(targets)
		}
		filled = cmp.Or(filled, n)
	}
	if filled == 0 {
		return ""
	}
	return fmt.Sprintf("; AcceptQueue fills the queue of %d of %d pods, each from one node", filled, len(rp.Pods()))
}
