package gc

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// TestEndedPodsOfANamespaceCount: those of the namespace's other TCPProbes, once they have ended.
func TestEndedPodsOfANamespaceCount(t *testing.T) {
	var objects []client.Object
	for i, of := range []struct {
		namespace, probe string
		phase            corev1.PodPhase
	}{
		{"shop", "other", corev1.PodFailed}, {"shop", "other", corev1.PodSucceeded}, {"shop", "third", corev1.PodFailed},
		{"shop", "other", corev1.PodRunning}, {"shop", "web", corev1.PodFailed}, {"bank", "other", corev1.PodFailed},
	} {
		objects = append(objects, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "probes", Name: fmt.Sprint("p", i),
			Labels: map[string]string{runplan.LabelNamespace: of.namespace, runplan.LabelName: of.probe}},
			Status: corev1.PodStatus{Phase: of.phase}})
	}
	s := &Sweeper{Caches: fake.NewClientBuilder().WithObjects(objects...).Build(), Namespace: "probes"}
	n, err := s.endedBeside(t.Context(), types.NamespacedName{Namespace: "shop", Name: "web"})
	if err != nil || n != 3 {
		t.Errorf("%d, %v; want 3", n, err)
	}
}
