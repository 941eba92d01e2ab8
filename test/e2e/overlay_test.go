//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// layOverlay puts VXLAN between the nodes until the test ends.
func layOverlay(t *testing.T) {
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

// TestOverlay: behind VXLAN the switch cannot drop what it does not see. A pass from the nodes' own network, whose
// device shows the tunnel, says so; one from a pod does not know.
func TestOverlay(t *testing.T) {
	layOverlay(t)
	enable(t, "--host-network")
	admitHostNetwork(t)
	breakCable(t, "kn2", "push-at-zero")
	s := openShop(t)
	p := s.probe(t)
	ended(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	p.Spec.Sources.Network = v1alpha1.NetworkHost
	if err := cluster.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ended(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	const says = "12 of 12 pairs across the network went through an overlay: " +
		"the switches saw a tunnel and not these segments"
	if message := condition(p, v1alpha1.ConditionPathHealthy).Message; !strings.Contains(message, says) {
		t.Errorf("PathHealthy says %q; want that %s", message, says)
	}
}
