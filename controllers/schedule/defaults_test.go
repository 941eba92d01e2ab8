package schedule

import (
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestDefaultsOfAnOlderDefinition: fields that an older CRD does not set get their default. Fields that are set stay.
func TestDefaultsOfAnOlderDefinition(t *testing.T) {
	podIP, clusterIP := []v1alpha1.Via{v1alpha1.ViaPodIP}, []v1alpha1.Via{v1alpha1.ViaClusterIP}
	for _, c := range []struct {
		via, wantVia         []v1alpha1.Via
		network, wantNetwork v1alpha1.Network
	}{
		{nil, podIP, "", v1alpha1.NetworkPod},
		{clusterIP, clusterIP, v1alpha1.NetworkHost, v1alpha1.NetworkHost},
		{podIP, podIP, v1alpha1.NetworkPod, v1alpha1.NetworkPod},
	} {
		spec := v1alpha1.TCPProbeSpec{Sources: v1alpha1.Sources{Network: c.network}}
		spec.Target.Service = &v1alpha1.ServiceTarget{Via: c.via}
		SetDefaults(&spec)
		if got := spec.Target.Service.Via; !slices.Equal(got, c.wantVia) || spec.Sources.Network != c.wantNetwork {
			t.Errorf("via %v, network %q become %v, %q", c.via, c.network, got, spec.Sources.Network)
		}
	}
	address := v1alpha1.TCPProbeSpec{}
	SetDefaults(&address)
	if address.Target.Service != nil {
		t.Error("a target.address gets a Service")
	}
}
