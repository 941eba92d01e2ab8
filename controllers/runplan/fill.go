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

// AcceptQueue fills a listener's queue. So each pod is asked by one source and at one address, and unless the owner of
// the Service consents to all, one ready pod is always left alone.

// fill restricts the run's AcceptQueue scenarios to one source and one address for each pod, and to all
// pods but one unless the Service's owner consents to all. Pairs that are then not asked anything are dropped.
func (f *RunPlan) fill(consent, seed string) {
	only := f.askers(f.fillable(consent, seed), seed)
	for i := range f.Plan.Scenarios {
		if s := &f.Plan.Scenarios[i]; s.Type == string(v1alpha1.AcceptQueue) {
			s.Only = only
		}
	}
	for source, targets := range f.Plan.Sources {
		f.Plan.Sources[source] = slices.DeleteFunc(targets, func(target int) bool {
			return !f.asksAnything(source, target)
		})
		if len(f.Plan.Sources[source]) == 0 {
			delete(f.Plan.Sources, source)
		}
	}
}

// fillable names the pods whose queue may be filled, of those that any source has.
func (f *RunPlan) fillable(consent, seed string) []string {
	all := f.Pods()
	pods := slices.DeleteFunc(slices.Clone(all), func(pod string) bool {
		return len(f.sourcesOf(f.firstOf(pod))) == 0
	})
	if consent != v1alpha1.AllowOnlyEndpoint && len(pods) == len(all) {
		pods = target.Rendezvous(seed, pods, len(pods)-1)
	}
	return pods
}

// askers gives each pod's first address to one source, on another node if one is there: to the one that has the fewest
// so far, because a source fills one queue after the other.
func (f *RunPlan) askers(pods []string, seed string) map[string][]int {
	only := make(map[string][]int)
	for source := range f.Plan.Sources { // an empty map would restrict nothing
		only[source] = nil
	}
	for _, pod := range pods {
		first := f.firstOf(pod)
		sources := f.sourcesOf(first)
		onFirst := func(source string) bool { return f.SameNode(source, first) }
		if away := slices.DeleteFunc(slices.Clone(sources), onFirst); len(away) > 0 {
			sources = away
		}
		asker := slices.MinFunc(sources, func(a, b string) int {
			return cmp.Or(cmp.Compare(len(only[a]), len(only[b])),
				cmp.Compare(target.Weight(seed+"/"+pod, a), target.Weight(seed+"/"+pod, b)))
		})
		only[asker] = append(only[asker], first)
	}
	return only
}

// firstOf is the index of the pod's first address.
func (f *RunPlan) firstOf(pod string) int {
	return slices.IndexFunc(f.Endpoints, func(e target.Endpoint) bool { return e.Pod == pod })
}

// sourcesOf lists the sources that have the target.
func (f *RunPlan) sourcesOf(target int) []string {
	var out []string
	for _, source := range slices.Sorted(maps.Keys(f.Plan.Sources)) {
		if slices.Contains(f.Plan.Sources[source], target) {
			out = append(out, source)
		}
	}
	return out
}

func (f *RunPlan) asksAnything(source string, target int) bool {
	for _, c := range f.Plan.Checks() {
		if f.Plan.Asks(source, c, target) {
			return true
		}
	}
	return false
}

// FillsFrom reports whether the source fills any queue.
func (f *RunPlan) FillsFrom(source string) bool {
	return slices.ContainsFunc(f.Plan.Scenarios, func(s plan.Scenario) bool {
		return s.Type == string(v1alpha1.AcceptQueue) && (len(s.Only) == 0 || len(s.Only[source]) > 0)
	})
}

// FillsNote says for Accepted whose queues are filled, if any are.
func (f *RunPlan) FillsNote() string {
	filled := 0
	for _, s := range f.Plan.Scenarios {
		n := 0
		for _, targets := range s.Only {
			n += len(targets)
		}
		filled = cmp.Or(filled, n)
	}
	if filled == 0 {
		return ""
	}
	return fmt.Sprintf("; AcceptQueue fills the queue of %d of %d pods, each from one node", filled, len(f.Pods()))
}
