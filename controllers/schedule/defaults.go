package schedule

import "github.com/tcpprobe/tcpprobe/api/v1alpha1"

// SetDefaults sets what a definition from before recurring runs and tenancy does not default, to what it meant then
// and what the definition says now. An upgraded definition then changes no question, and an older one, that is still
// in place, asks one.
func SetDefaults(spec *v1alpha1.TCPProbeSpec) {
	if service := spec.Target.Service; service != nil && len(service.Via) == 0 {
		service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP}
	}
	if spec.Sources.Network == "" {
		spec.Sources.Network = v1alpha1.NetworkPod
	}
}
