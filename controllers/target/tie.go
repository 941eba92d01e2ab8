package target

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Tie is what the probe pods of a run depend on while they run: that their target may still be probed, and that its
// pods are still those that were planned.
type Tie struct {
	Tenant  string // the TCPProbe's namespace
	Target  v1alpha1.Target
	Behind  *Behind         // what the ClusterIPs lead to, if any source probes one
	Sources []TiedSource    // those whose pods have not ended
	Filled  map[string]bool // the pods whose queues the run fills, from whichever source
}

// TiedSource is one source of a run, and what it probes.
type TiedSource struct {
	Node  string
	To    []Endpoint
	Fills bool // it fills queues
}

// NewTie ties the sources to what they probe of the snapshot.
func NewTie(tenant string, s *Snapshot, filled map[string]bool) Tie {
	return Tie{Tenant: tenant, Target: s.Target, Behind: s.Behind, Filled: filled}
}

// Add adds a source that probes these targets of the snapshot.
func (t *Tie) Add(node string, s *Snapshot, targets []int, fills bool) {
	source := TiedSource{Node: node, Fills: fills}
	for _, i := range targets {
		source.To = append(source.To, s.Endpoints[i])
	}
	t.Sources = append(t.Sources, source)
}

// Reads is how many reads Look makes for the tie: of the target, of each pod once, and of the Service and its slices
// for a ClusterIP.
func (t *Tie) Reads() int {
	n := 1
	var names []string
	for _, source := range t.Sources {
		names = append(names, t.pods(source)...)
		if t.viaClusterIP(source) {
			n = 3
		}
	}
	return n + len(unique(names))
}

// pods names the pods that decide whether the source may go on.
func (t *Tie) pods(source TiedSource) []string {
	names := PodsOf(source.To)
	if t.viaClusterIP(source) {
		names = append(names, PodsOf(t.Behind.Pods)...)
	}
	return names
}

func (t *Tie) viaClusterIP(source TiedSource) bool {
	for _, e := range source.To {
		if e.Via == v1alpha1.ViaClusterIP {
			return t.Behind != nil
		}
	}
	return false
}

// Look reads the targets of a run's probe pods again, and reports which sources must not go on, and why.
func (r *Resolver) Look(ctx context.Context, t *Tie) (map[string]*Refusal, error) {
	service, refusal, err := r.stillTarget(ctx, t.Tenant, &t.Target)
	if err != nil {
		return nil, err
	}
	stopped := t.withdrawn(service, refusal)
	var names []string
	for _, source := range t.Sources {
		if stopped[source.Node] == nil {
			names = append(names, t.pods(source)...)
		}
	}
	pods, err := r.pods(ctx, t.namespace(), unique(names))
	if err != nil {
		return nil, err
	}
	behind, err := r.behindTie(ctx, t, pods, stopped)
	if err != nil {
		return nil, err
	}
	for _, source := range t.Sources {
		if stopped[source.Node] != nil {
			continue
		}
		if what := t.changed(source, service, pods, behind); what != "" {
			stopped[source.Node] = Refused(v1alpha1.ReasonTargetChanged, "stopped while it probed: %s", what)
		}
	}
	return stopped, nil
}

// withdrawn are the sources that nobody allows any more: all by the refusal of the target, or those that fill queues.
func (t *Tie) withdrawn(service *Service, refusal *Refusal) map[string]*Refusal {
	stopped := make(map[string]*Refusal)
	for _, source := range t.Sources {
		why := refusal
		if why == nil && source.Fills {
			why = consentRules.refuse(consentInput{true, service})
		}
		if why != nil {
			stopped[source.Node] = why
		}
	}
	return stopped
}

// behindTie reports what has changed behind the run's ClusterIPs, if a source that is not stopped probes one.
func (r *Resolver) behindTie(
	ctx context.Context, t *Tie, pods map[string]*corev1.Pod, stopped map[string]*Refusal,
) (string, error) {
	for _, source := range t.Sources {
		if stopped[source.Node] != nil || !t.viaClusterIP(source) {
			continue
		}
		if what := t.Behind.changed(pods); what != "" {
			return what, nil
		}
		s := &Snapshot{Target: t.Target, Endpoints: source.To, Behind: t.Behind}
		return r.clusterIPChanged(ctx, s, t.Tenant)
	}
	return "", nil
}

func (t *Tie) namespace() string { return (&Snapshot{Target: t.Target}).Namespace(t.Tenant) }

// changed reports the first change of what the source probes, or "". behind is what changed behind ClusterIPs.
func (t *Tie) changed(source TiedSource, service *Service, pods map[string]*corev1.Pod, behind string) string {
	for _, e := range source.To {
		if e.Pod == "" {
			continue
		}
		if what := e.left(service, pods[e.Pod], t.Filled[e.Pod]); what != "" {
			return what
		}
	}
	if t.viaClusterIP(source) {
		return behind
	}
	return ""
}

// left reports why e must not be probed any longer, or "". A pod whose queue the run fills may lose its readiness by
// that. It is the same pod at the same address, and its owner consented.
func (e Endpoint) left(service *Service, pod *corev1.Pod, filled bool) string {
	if what := e.moved(pod); what != "" {
		return what
	}
	switch {
	case !labels.SelectorFromSet(service.Selector).Matches(labels.Set(pod.Labels)):
		return fmt.Sprintf("Pod %s does not match the selector of Service %s any more", e.Pod, service.Name)
	case !filled && !serving(pod):
		return fmt.Sprintf("Pod %s is not Ready", e.Pod)
	}
	return ""
}
