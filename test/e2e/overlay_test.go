//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// addOverlay has the nodes use VXLAN between each other until the test ends.
func addOverlay(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if err := script("test/cluster/overlay.sh", "none"); err != nil {
			t.Error(err)
		}
	})
	if err := script("test/cluster/overlay.sh", "vxlan"); err != nil {
		t.Fatal(err)
	}
}

// TestOverlay: behind VXLAN the switch does not see the segments and cannot drop them. A Pass from the host network,
// where the device shows the tunnel, says so. A prober in a pod does not know.
func TestOverlay(t *testing.T) {
	addOverlay(t)
	addManagerArgument(t, "--host-network")
	admitHostNetwork(t)
	breakCable(t, "kn2", "push-at-zero")
	s := newTenant(t)
	p := s.probe(t)
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	p.Spec.Sources.Network = v1alpha1.NetworkHost
	if err := cluster.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	const says = "12 of 12 pairs across the network went through an overlay: " +
		"the switches saw a tunnel and not these segments"
	if message := condition(p, v1alpha1.ConditionPathHealthy).Message; !strings.Contains(message, says) {
		t.Errorf("PathHealthy says %q; want that %s", message, says)
	}
}
