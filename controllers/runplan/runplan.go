package runplan

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// alpha bounds the chance that a published finding is a false alarm: TCPProbes alert (packets.md calls it the
// multiplicity rule; the prober divides it by flows and variants).
const alpha = 1e-7

// maxBytes is the size in bytes up to which a run fits a ConfigMap (1 MiB) beside its metadata.
const maxBytes = 700 << 10

// RunPlan is a run as it was decided when it started. Nothing that happens to TCPProbe, Service or nodes later
// changes it.
type RunPlan struct {
	Plan            plan.Plan // for the prober
	target.Snapshot           // for the manager; its Endpoints are those of Plan.Targets, index by index
}

// New plans the run with this ID.
func New(probe *v1alpha1.TCPProbe, id string, g *target.Resolved) (*RunPlan, error) {
	endpoints := slices.SortedFunc(slices.Values(g.Endpoints), func(a, b target.Endpoint) int {
		podless := cmp.Compare(len(b.Pod), 0) - cmp.Compare(len(a.Pod), 0) // last: what pods answer explains more
		return cmp.Or(podless, cmp.Compare(a.Pod, b.Pod), a.Address.Compare(b.Address), cmp.Compare(a.Port, b.Port))
	})
	f := &RunPlan{
		Plan: plan.Plan{
			APIVersion:       plan.APIVersion,
			Run:              id,
			Probe:            probe.Namespace + "/" + probe.Name,
			Sources:          make(map[string][]int, len(g.Sources.Planned)),
			Scenarios:        planScenarios(probe.Spec.Scenarios),
			Paths:            int(probe.Spec.Paths),
			PacketsPerSecond: int(probe.Spec.PacketsPerSecond),
			DeadlineSeconds:  int(probe.Spec.Run.DeadlineSeconds),
			Alpha:            alpha,
		},
		Snapshot: target.Snapshot{
			Target:    *probe.Spec.Target.DeepCopy(),
			Network:   probe.Spec.Sources.Network,
			Endpoints: endpoints,
			Behind:    g.Behind,
			Refused:   g.Refused,
		},
	}
	for _, e := range endpoints {
		f.Plan.Targets = append(f.Plan.Targets, plan.Target{
			Address: e.Address, Port: e.Port, Via: string(e.Via), Name: e.Pod, Node: e.Node,
		})
	}
	for _, node := range g.Sources.Planned {
		f.Plan.Sources[node] = spread(string(probe.UID)+"/"+node, endpoints, maxEndpoints(probe))
	}
	if probe.Spec.KernelConnections == v1alpha1.Off {
		f.Plan.KernelConnections = plan.Off
	}
	if target.FillsQueues(probe.Spec.Scenarios) {
		f.fill(g.Service.Consent, string(probe.UID))
	}
	return f, f.Plan.Validate()
}

// maxEndpoints is how many pods each source probes.
func maxEndpoints(probe *v1alpha1.TCPProbe) int {
	if probe.Spec.Target.Service == nil {
		return 0
	}
	return int(probe.Spec.Target.Service.MaxEndpoints)
}

// spread gives one source its targets: the addresses of at most limit pods, others for another seed, and those that no
// pod is known behind.
func spread(seed string, endpoints []target.Endpoint, limit int) []int {
	chosen := target.Rendezvous(seed, target.PodsOf(endpoints), limit)
	var indices []int
	for i, e := range endpoints {
		if e.Pod == "" || slices.Contains(chosen, e.Pod) {
			indices = append(indices, i)
		}
	}
	return indices
}

func planScenarios(scenarios []v1alpha1.Scenario) []plan.Scenario {
	out := make([]plan.Scenario, len(scenarios))
	for i, s := range scenarios {
		out[i] = plan.Scenario{Name: s.Name, Type: string(s.Type), Payload: s.Payload}
		for _, v := range s.Variants() {
			out[i].Variants = append(out[i].Variants, string(v))
		}
		switch s.Type {
		case v1alpha1.FinReorder:
			out[i].FinReorder = planFinReorder(s.FinReorder)
		case v1alpha1.AcceptQueue:
			out[i].AcceptQueue = planAcceptQueue(s.AcceptQueue)
		}
	}
	return out
}

// planFinReorder: the schema sees to it that options are there, and one trigger in them.
func planFinReorder(o *v1alpha1.FinReorderOptions) *plan.FinReorder {
	if o == nil {
		return nil
	}
	out := &plan.FinReorder{GapMillis: int(o.GapMillis), Trigger: plan.Trigger{OnAccept: o.Trigger.OnAccept != nil,
		Send: o.Trigger.Send}}
	if get := o.Trigger.HTTPGet; get != nil {
		out.Trigger.HTTPGet = cmp.Or(get.Path, "/")
	}
	return out
}

func planAcceptQueue(o *v1alpha1.AcceptQueueOptions) *plan.AcceptQueue {
	if o == nil {
		return &plan.AcceptQueue{MaxConnections: v1alpha1.DefaultMaxConnections}
	}
	return &plan.AcceptQueue{MaxConnections: int(o.MaxConnections)}
}

// Nodes lists the sources in the order in which their pods are made and numbered.
func (f *RunPlan) Nodes() []string { return slices.Sorted(maps.Keys(f.Plan.Sources)) }

// Pairs counts pairs of source and target.
func (f *RunPlan) Pairs() (n int) {
	for _, targets := range f.Plan.Sources {
		n += len(targets)
	}
	return n
}

// Targets lists those that any source probes.
func (f *RunPlan) Targets() []int {
	var all []int
	for _, targets := range f.Plan.Sources {
		all = append(all, targets...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ViaClusterIP reports whether the target is a ClusterIP.
func (f *RunPlan) ViaClusterIP(target int) bool {
	return f.Plan.Targets[target].Via == string(v1alpha1.ViaClusterIP)
}

// SameNode reports whether nothing but one kernel is between the source and the target.
func (f *RunPlan) SameNode(source string, target int) bool {
	return f.Plan.Targets[target].Node == source
}

// encode is the run as the data of a ConfigMap: the prober's part and the manager's.
func (f *RunPlan) encode() (planJSON, snapshotJSON string, err error) {
	p, err := json.Marshal(f.Plan)
	if err != nil {
		return "", "", err
	}
	s, err := json.Marshal(f.Snapshot)
	return string(p), string(s), err
}

// Decode reads what encode wrote.
func Decode(planJSON, snapshotJSON string) (*RunPlan, error) {
	p, err := plan.Decode([]byte(planJSON))
	if err != nil {
		return nil, err
	}
	f := &RunPlan{Plan: *p}
	if err := json.Unmarshal([]byte(snapshotJSON), &f.Snapshot); err != nil {
		return nil, err
	}
	if len(f.Endpoints) != len(p.Targets) {
		return nil, fmt.Errorf("%d witnesses of %d targets", len(f.Endpoints), len(p.Targets))
	}
	if f.Target == (v1alpha1.Target{}) {
		return nil, errors.New("no target")
	}
	return f, p.Validate()
}
