//go:build e2e

package e2e

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestNodeCrash: a node loses power while it probes, and is started again. The run ends without a Fail, and the next
// one passes.
func TestNodeCrash(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, fromNodes("kn3"), slow)
	waitForProber(t, p, "kn3")
	start := func() {
		if err := script("test/cluster/node-start.sh", "3"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(start)
	if err := script("test/cluster/node-crash.sh", "3"); err != nil {
		t.Fatal(err)
	}
	start()
	waitForRun(t, p, 1)
	expectUndecided(t, p)

	eventually(t, func() string { return s.missingEndpoints(t) })
	p.Spec.PacketsPerSecond = 200
	if err := cluster.client.Update(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}
