//go:build e2e

package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestControlPlaneRestarts: etcd and then the API server are killed in the middle of a run. The run goes on, ends once,
// and has nobody probe twice.
func TestControlPlaneRestarts(t *testing.T) {
	s := openShop(t)
	pods := watchPods(t)
	p := s.probe(t, slowly)
	running(t, p, "kn1")
	defer excuse()()
	for _, program := range []string{"etcd", "kube-apiserver"} {
		if err := script("test/cluster/component-kill.sh", program); err != nil {
			t.Fatal(err)
		}
		answers(t)
	}
	ended(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	made := pods.of(p)
	if len(made) != 1 {
		t.Errorf("%d runs have made pods, want 1", len(made))
	}
	expectOncePerNode(t, made)

	again(t, p, "after the outage")
	ended(t, p, 2)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// answers waits for an API server that is ready and writes.
func answers(t *testing.T) {
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
