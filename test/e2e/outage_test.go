//go:build e2e

package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestControlPlaneRestarts: etcd and then the API server are killed in the middle of a run. The run continues and ends
// once, and no node probes twice.
func TestControlPlaneRestarts(t *testing.T) {
	s := newTenant(t)
	pods := watchPods(t)
	p := s.probe(t, slow)
	waitForProber(t, p, "kn1")
	defer expectRefusals()()
	for _, program := range []string{"etcd", "kube-apiserver"} {
		if err := script("test/cluster/component-kill.sh", program); err != nil {
			t.Fatal(err)
		}
		waitForAPIServer(t)
	}
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	made := pods.of(p)
	if len(made) != 1 {
		t.Errorf("%d runs have made pods, want 1", len(made))
	}
	expectOncePerNode(t, made)

	runAgain(t, p, "after the outage")
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// waitForAPIServer waits until the API server is ready and accepts writes.
func waitForAPIServer(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		if err := script(kubectl(), "get", "--raw", "/readyz"); err != nil {
			return err.Error()
		}
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "outage-"}}
		if err := cluster.client.Create(t.Context(), namespace); err != nil {
			return err.Error()
		}
		_ = cluster.client.Delete(t.Context(), namespace)
		return ""
	})
}
