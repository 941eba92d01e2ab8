package controllers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// AcceptQueue fills a listener's queue, and a queue that nobody accepts from stays full. So the owner of the Service has
// to consent, each pod is asked by one source and at one address, and unless the owner consents to that too, one
// ready pod is always left alone.

// fillsQueues reports whether the probe asks AcceptQueue.
func fillsQueues(scenarios []v1alpha1.Scenario) bool {
	return slices.ContainsFunc(scenarios, func(s v1alpha1.Scenario) bool { return s.Type == v1alpha1.AcceptQueue })
}

// refuseConsent reports why the Service's owner does not let the probe fill its queues, if it would.
func refuseConsent(probe *v1alpha1.TCPProbe, service *Service) *Refusal {
	if !fillsQueues(probe.Spec.Scenarios) {
		return nil
	}
	return refuseFilling(service)
}

func refuseFilling(service *Service) *Refusal {
	const annotation = v1alpha1.AcceptQueueAnnotation
	switch {
	case service.Consent == "":
		return refused(v1alpha1.ReasonConsentMissing, "AcceptQueue fills the queue of the pods behind Service %s, which turns clients away meanwhile, and for good where the application has stalled; "+
			"whoever owns the Service can allow that by its annotation %s: %q, or remove the scenario", service.Name, annotation, v1alpha1.AllowAcceptQueue)
	case service.Consent != v1alpha1.AllowAcceptQueue && service.Consent != v1alpha1.AllowOnlyEndpoint:
		return refused(v1alpha1.ReasonConsentMissing, "the annotation %s of Service %s is %q; AcceptQueue needs %q or %q", annotation, service.Name, cut(service.Consent, 32), v1alpha1.AllowAcceptQueue, v1alpha1.AllowOnlyEndpoint)
	}
	return nil
}

// refuseOnlyEndpoint reports that nobody would serve while the queue of the only ready pod is full.
func (g *Gathered) refuseOnlyEndpoint(probe *v1alpha1.TCPProbe) *Refusal {
	if !fillsQueues(probe.Spec.Scenarios) || g.Service.Consent == v1alpha1.AllowOnlyEndpoint || len(podsOf(g.Endpoints)) > 1 {
		return nil
	}
	return refused(v1alpha1.ReasonConsentMissing, "Service %s has one ready pod, %s, and AcceptQueue would turn all its clients away; have a second one ready, or set the annotation %s of the Service to %q",
		g.Service.Name, g.Endpoints[0].Pod, v1alpha1.AcceptQueueAnnotation, v1alpha1.AllowOnlyEndpoint)
}

// podsOf names the pods behind the endpoints, each once, in their order.
func podsOf(endpoints []Endpoint) []string {
	var pods []string
	for _, e := range endpoints {
		if e.Pod != "" && !slices.Contains(pods, e.Pod) {
			pods = append(pods, e.Pod)
		}
	}
	return pods
}

// fill restricts the frozen run's AcceptQueue scenarios to one source and one address for each pod, and to all
// pods but one unless the Service's owner consents to all. Pairs that are then not asked anything are dropped.
func (f *Frozen) fill(consent, seed string) {
	only := f.askers(f.fillable(consent, seed), seed)
	for i := range f.Plan.Scenarios {
		if s := &f.Plan.Scenarios[i]; s.Type == string(v1alpha1.AcceptQueue) {
			s.Only = only
		}
	}
	for source, targets := range f.Plan.Sources {
		f.Plan.Sources[source] = slices.DeleteFunc(targets, func(target int) bool { return !f.asksAnything(source, target) })
		if len(f.Plan.Sources[source]) == 0 {
			delete(f.Plan.Sources, source)
		}
	}
}

// fillable names the pods whose queue may be filled, of those that any source has.
func (f *Frozen) fillable(consent, seed string) []string {
	all := podsOf(f.Endpoints)
	pods := slices.DeleteFunc(slices.Clone(all), func(pod string) bool { return len(f.sourcesOf(f.firstOf(pod))) == 0 })
	if consent != v1alpha1.AllowOnlyEndpoint && len(pods) == len(all) {
		pods = rendezvous(seed, pods, len(pods)-1)
	}
	return pods
}

// askers gives each pod's first address to one source, on another node if one is there: to the one that has the fewest so
// far, because a source fills one queue after the other.
func (f *Frozen) askers(pods []string, seed string) map[string][]int {
	only := make(map[string][]int)
	for source := range f.Plan.Sources { // an empty map would restrict nothing
		only[source] = nil
	}
	for _, pod := range pods {
		target := f.firstOf(pod)
		sources := f.sourcesOf(target)
		if away := slices.DeleteFunc(slices.Clone(sources), func(source string) bool { return f.sameNode(source, target) }); len(away) > 0 {
			sources = away
		}
		asker := slices.MinFunc(sources, func(a, b string) int {
			return cmp.Or(cmp.Compare(len(only[a]), len(only[b])), cmp.Compare(weight(seed+"/"+pod, a), weight(seed+"/"+pod, b)))
		})
		only[asker] = append(only[asker], target)
	}
	return only
}

// firstOf is the index of the pod's first address.
func (f *Frozen) firstOf(pod string) int {
	return slices.IndexFunc(f.Endpoints, func(e Endpoint) bool { return e.Pod == pod })
}

// sourcesOf lists the sources that have the target.
func (f *Frozen) sourcesOf(target int) []string {
	var out []string
	for _, source := range slices.Sorted(maps.Keys(f.Plan.Sources)) {
		if slices.Contains(f.Plan.Sources[source], target) {
			out = append(out, source)
		}
	}
	return out
}

func (f *Frozen) asksAnything(source string, target int) bool {
	for _, c := range f.Plan.Checks() {
		if f.Plan.Asks(source, c, target) {
			return true
		}
	}
	return false
}

// fillsFrom reports whether the source fills any queue.
func (f *Frozen) fillsFrom(source string) bool {
	return slices.ContainsFunc(f.Plan.Scenarios, func(s plan.Scenario) bool {
		return s.Type == string(v1alpha1.AcceptQueue) && (len(s.Only) == 0 || len(s.Only[source]) > 0)
	})
}

// fills says for Accepted whose queues are filled, if any are.
func (f *Frozen) fills() string {
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
	return fmt.Sprintf("; AcceptQueue fills the queue of %d of %d pods, each from one node", filled, len(podsOf(f.Endpoints)))
}
