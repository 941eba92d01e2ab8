package schedule

import "github.com/tcpprobe/tcpprobe/api/v1alpha1"

// SetDefaults sets fields for which an older CRD has no default. They get the meaning that they had then, which is the
// default of today's CRD. So upgrading the CRD does not change any TCPProbe's run ID.
func SetDefaults(spec *v1alpha1.TCPProbeSpec) {
	if service := spec.Target.Service; service != nil && len(service.Via) == 0 {
		service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP}
	}
	if spec.Sources.Network == "" {
		spec.Sources.Network = v1alpha1.NetworkPod
	}
}
