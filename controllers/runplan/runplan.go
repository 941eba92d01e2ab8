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

// alpha bounds the probability that a published finding is a false alarm. It is small, because findings raise alerts.
// The prober divides it by flows and variants.
const alpha = 1e-7

// maxBytes is the size up to which a run's data fits a ConfigMap (1 MiB) beside its metadata.
const maxBytes = 700 << 10

// RunPlan is what was decided when a run started. Later changes of TCPProbe, Service or nodes do not change it.
type RunPlan struct {
	Plan            plan.Plan // for the prober
	target.Snapshot           // for the manager; its Endpoints are those of Plan.Targets, index by index
}

// New plans the run with this ID.
func New(probe *v1alpha1.TCPProbe, id string, res *target.Resolved) (*RunPlan, error) {
	endpoints := slices.SortedFunc(slices.Values(res.Endpoints), func(a, b target.Endpoint) int {
		// Targets without a pod come last, because findings about pods explain more.
		podless := cmp.Compare(len(b.Pod), 0) - cmp.Compare(len(a.Pod), 0)
		return cmp.Or(podless, cmp.Compare(a.Pod, b.Pod), a.Address.Compare(b.Address), cmp.Compare(a.Port, b.Port))
	})
	rp := &RunPlan{
		Plan: plan.Plan{
			APIVersion:       plan.APIVersion,
			Run:              id,
			Probe:            probe.Namespace + "/" + probe.Name,
			Sources:          make(map[string][]int, len(res.Sources.Planned)),
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
			Behind:    res.Behind,
			Refused:   res.Refused,
			Spared:    res.Spared,
		},
	}
	for _, e := range endpoints {
		rp.Plan.Targets = append(rp.Plan.Targets, plan.Target{
			Address: e.Address, Port: e.Port, Via: string(e.Via), Name: e.Pod, Node: e.Node,
		})
	}
	for _, node := range res.Sources.Planned {
		rp.Plan.Sources[node] = spread(string(probe.UID)+"/"+node, endpoints, maxEndpoints(probe))
	}
	if probe.Spec.KernelConnections == v1alpha1.Off {
		rp.Plan.KernelConnections = plan.Off
	}
	if target.FillsQueues(probe.Spec.Scenarios) {
		rp.restrictAcceptQueue(string(probe.UID))
	}
	return rp, rp.Plan.Validate()
}

// maxEndpoints is how many pods each source probes.
func maxEndpoints(probe *v1alpha1.TCPProbe) int {
	if probe.Spec.Target.Service == nil {
		return 0
	}
	return int(probe.Spec.Target.Service.MaxEndpoints)
}

// spread gives one source its targets: the addresses of at most limit pods, and those without a known pod. Another
// seed chooses other pods.
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
		out[i] = plan.Scenario{Name: s.Name, Type: string(s.Type), Payload: s.Payload,
			PayloadPreset: s.PayloadPreset}
		for _, v := range s.Variants() {
			out[i].Variants = append(out[i].Variants, string(v))
		}
		switch s.Type {
		case v1alpha1.FinReorder:
			out[i].FinReorder = planFinReorder(s.FinReorder)
		case v1alpha1.AcceptQueue:
			out[i].AcceptQueue = planAcceptQueue(s.AcceptQueue)
		case v1alpha1.IdleTimeout:
			out[i].IdleTimeout = planIdleTimeout(s.IdleTimeout)
		}
	}
	return out
}

// planFinReorder relies on the schema: there are options, and they have one trigger.
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
		return &plan.AcceptQueue{MaxConnections: plan.DefaultConnections}
	}
	return &plan.AcceptQueue{MaxConnections: int(o.MaxConnections)}
}

func planIdleTimeout(o *v1alpha1.IdleTimeoutOptions) *plan.IdleTimeout {
	if o == nil {
		return &plan.IdleTimeout{MaxSeconds: plan.DefaultIdleSeconds}
	}
	return &plan.IdleTimeout{MaxSeconds: int(o.MaxSeconds)}
}

// Nodes lists the sources in the order in which their pods are made and numbered.
func (rp *RunPlan) Nodes() []string { return slices.Sorted(maps.Keys(rp.Plan.Sources)) }

// Pairs counts pairs of source and target.
func (rp *RunPlan) Pairs() (n int) {
	for _, targets := range rp.Plan.Sources {
		n += len(targets)
	}
	return n
}

// Targets lists those that any source probes.
func (rp *RunPlan) Targets() []int {
	var all []int
	for _, targets := range rp.Plan.Sources {
		all = append(all, targets...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ViaClusterIP reports whether the target is a ClusterIP.
func (rp *RunPlan) ViaClusterIP(target int) bool {
	return rp.Plan.Targets[target].Via == string(v1alpha1.ViaClusterIP)
}

// SameNode reports whether source and target are on the same node, so that segments do not cross the network.
func (rp *RunPlan) SameNode(source string, target int) bool {
	return rp.Plan.Targets[target].Node == source
}

// encode is the data of the ConfigMap: the prober's part and the manager's.
func (rp *RunPlan) encode() (planJSON, snapshotJSON string, err error) {
	p, err := json.Marshal(rp.Plan)
	if err != nil {
		return "", "", err
	}
	s, err := json.Marshal(rp.Snapshot)
	return string(p), string(s), err
}

// Decode reads the data of the ConfigMap.
func Decode(planJSON, snapshotJSON string) (*RunPlan, error) {
	p, err := plan.Decode([]byte(planJSON))
	if err != nil {
		return nil, err
	}
	rp := &RunPlan{Plan: *p}
	if err := json.Unmarshal([]byte(snapshotJSON), &rp.Snapshot); err != nil {
		return nil, err
	}
	if len(rp.Endpoints) != len(p.Targets) {
		return nil, fmt.Errorf("%d snapshots of %d targets", len(rp.Endpoints), len(p.Targets))
	}
	if rp.Target == (v1alpha1.Target{}) {
		return nil, errors.New("no target")
	}
	return rp, p.Validate()
}
