package target

import (
	"cmp"
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Of the ready pods of every Service one keeps serving: AcceptQueue never asks it, unless the owner consents to that
// too. A pod may be behind several Services, and several TCPProbes may fill queues one after the other. So all pods of
// a namespace have one order, by their names, and each Service keeps the first of its pods. No TCPProbe changes that.
// Among the pods that TCPProbes can reach, the first one that a Service has is then spared by all of them.

// keepServing sets which pods are spared, for a run that fills queues.
func (r *Resolver) keepServing(ctx context.Context, res *Resolved) error {
	if res.Service.Consent == v1alpha1.AllowOnlyEndpoint {
		return nil
	}
	size := 0
	selectors := map[string]labels.Selector{res.Service.Name: labels.SelectorFromSet(res.Service.Selector)}
	err := r.eachService(ctx, res.Service.Namespace, func(svc *corev1.Service) {
		if len(svc.Spec.Selector) > 0 && svc.Spec.Type != corev1.ServiceTypeExternalName {
			if size += labelBytes(svc.Spec.Selector); size > maxSelectorsBytes {
				return
			}
			selectors[svc.Name] = labels.SelectorFromSet(svc.Spec.Selector)
		}
	})
	if err != nil {
		return err
	}
	if size > maxSelectorsBytes {
		return Refused(v1alpha1.ReasonTooLarge, "the selectors of the Services of namespace %s have more than %d MiB, and "+
			"AcceptQueue leaves one ready pod of each alone: delete some of them", res.Service.Namespace, maxSelectorsBytes>>20)
	}
	res.Spared = spared(res.readyPods, slices.Collect(maps.Values(selectors)))
	return servingRules.check(servingInput{res.Service, PodsOf(res.Endpoints), res.Spared})
}

// readyPod is a ready pod of the Service.
type readyPod struct {
	name   string
	labels labels.Set
}

// spared names, sorted, the pod of each Service that keeps serving. Pods that more Services select come first, so that
// few are spared.
func spared(pods []readyPod, services []labels.Selector) (names []string) {
	selected := func(p readyPod) (n int) {
		for _, s := range services {
			if s.Matches(p.labels) {
				n++
			}
		}
		return n
	}
	ranked := slices.SortedFunc(slices.Values(pods), func(a, b readyPod) int {
		return cmp.Or(cmp.Compare(selected(b), selected(a)),
			cmp.Compare(Weight("serves", a.name), Weight("serves", b.name)), cmp.Compare(a.name, b.name))
	})
	for _, s := range services {
		i := slices.IndexFunc(ranked, func(p readyPod) bool { return s.Matches(p.labels) })
		if i >= 0 && !slices.Contains(names, ranked[i].name) {
			names = append(names, ranked[i].name)
		}
	}
	slices.Sort(names)
	return names
}

// servingInput is the input of the rules about which pods keep serving.
type servingInput struct {
	service *Service
	pods    []string // all that are ready
	spared  []string
}

var servingRules = rules[servingInput]{
	// With one ready pod, nothing would serve while its queue is full.
	{"only endpoint", func(in servingInput) *Refusal {
		if len(in.pods) > 1 {
			return nil
		}
		return Refused(v1alpha1.ReasonConsentMissing, "Service %s has one ready pod, %s, "+
			"and AcceptQueue would turn all its clients away; have a second one ready, "+
			"or set the annotation %s of the Service to %q",
			in.service.Name, in.pods[0], v1alpha1.AcceptQueueAnnotation, v1alpha1.AllowOnlyEndpoint)
	}},
	// Each pod may be the one that keeps another Service serving.
	{"other Services", func(in servingInput) *Refusal {
		if len(in.spared) < len(in.pods) {
			return nil
		}
		return Refused(v1alpha1.ReasonConsentMissing, "AcceptQueue leaves one ready pod of every Service alone, and each of "+
			"the %d ready pods of Service %s is the one of some Service of namespace %s; have more pods ready, "+
			"or set the annotation %s of Service %s to %q", len(in.pods), in.service.Name, in.service.Namespace,
			v1alpha1.AcceptQueueAnnotation, in.service.Name, v1alpha1.AllowOnlyEndpoint)
	}},
}

// stoppedServing reports that a pod that was to keep serving does not serve any more, so that no queue may be filled.
func stoppedServing(s *Snapshot, pods map[string]*corev1.Pod) *Refusal {
	for _, e := range s.Endpoints {
		if !slices.Contains(s.Spared, e.Pod) {
			continue
		}
		what := e.moved(pods[e.Pod])
		if what == "" && !serving(pods[e.Pod]) {
			what = "Pod " + e.Pod + " is not Ready"
		}
		if what != "" {
			return Refused(v1alpha1.ReasonTargetChanged, "not probed: %s, which was to keep serving while AcceptQueue fills "+
				"the queues of others", what)
		}
	}
	return nil
}
