package target

import (
	"cmp"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Snapshot is what was known of a run's target when the run was planned: the target of the spec, the pod behind each
// target of the plan, index by index, the pods behind a ClusterIP, and the refused endpoints. It is kept beside the
// plan, for the manager alone.
type Snapshot struct {
	Target    v1alpha1.Target  `json:"target"`
	Network   v1alpha1.Network `json:"network"`
	Endpoints []Endpoint       `json:"endpoints"`
	Behind    *Behind          `json:"behind,omitempty"`
	Spared    []string         `json:"spared,omitempty"` // pods that keep serving while queues are filled

	Missing *Missing `json:"missing,omitempty"`

	// Refused keeps its old name in JSON, so that a manager after an upgrade goes on with runs under way.
	Refused []RefusedEndpoint `json:"leftOut,omitempty"`
}

// Namespace is the namespace of the pods behind the targets, for a TCPProbe in the tenant's namespace.
func (s *Snapshot) Namespace(tenant string) string {
	if s.Target.Service == nil {
		return tenant
	}
	return cmp.Or(s.Target.Service.Namespace, tenant)
}

// Pods names the pods behind the endpoints.
func (s *Snapshot) Pods() []string { return PodsOf(s.Endpoints) }

// podsBehind names the pods behind some of the endpoints, sorted, each once.
func (s *Snapshot) podsBehind(targets []int) []string {
	var names []string
	for _, target := range targets {
		if pod := s.Endpoints[target].Pod; pod != "" {
			names = append(names, pod)
		}
	}
	return unique(names)
}

// unique sorts names, and leaves each once.
func unique(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// leadsTo reports whether the Service still has all ClusterIPs that the run probes, with their port.
func (s *Snapshot) leadsTo(service *Service) bool {
	for _, e := range s.Endpoints {
		if e.Via != v1alpha1.ViaClusterIP {
			continue
		}
		if !slices.Contains(service.ClusterIPs, e.Address) || e.Port != uint16(service.Port.Port) {
			return false
		}
	}
	return true
}
