//go:build e2e

package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestControlPlaneRestarts: etcd and then the API server are killed in the middle of a run. The run goes on, ends once, and has
// nobody probe twice.
func TestControlPlaneRestarts(t *testing.T) {
	s := openShop(t)
	pods := watchPods(t)
	p := s.probe(t, slowly)
	running(t, p, "kn1")
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

// answers waits for an API server that reads and writes again.
func answers(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "outage-"}}
		if err := cluster.client.Create(t.Context(), namespace, client.DryRunAll); err != nil {
			return err.Error()
		}
		if err := cluster.client.List(t.Context(), &corev1.NodeList{}); err != nil {
			return err.Error()
		}
		return ""
	})
}
