package gc

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// TestEndedPodsOfANamespaceCount: those of the namespace's other TCPProbes, once they have ended.
func TestEndedPodsOfANamespaceCount(t *testing.T) {
	var objects []client.Object
	for i, of := range []struct {
		namespace, probe string
		phase            corev1.PodPhase
		terminated       bool
	}{
		{"shop", "other", corev1.PodFailed, false}, {"shop", "other", corev1.PodSucceeded, false},
		{"shop", "third", corev1.PodFailed, false}, {"shop", "other", corev1.PodRunning, true},
		{"shop", "other", corev1.PodRunning, false}, {"shop", "web", corev1.PodFailed, false},
		{"bank", "other", corev1.PodFailed, false},
	} {
		status := corev1.PodStatus{Phase: of.phase}
		if of.terminated {
			status.ContainerStatuses = []corev1.ContainerStatus{{Name: probepod.ContainerName,
				State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
		}
		objects = append(objects, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "probes", Name: fmt.Sprint("p", i),
			Labels: map[string]string{runplan.LabelNamespace: of.namespace, runplan.LabelName: of.probe}},
			Status: status})
	}
	s := &Sweeper{Caches: fake.NewClientBuilder().WithObjects(objects...).Build(), Namespace: "probes"}
	n, err := s.endedBeside(t.Context(), types.NamespacedName{Namespace: "shop", Name: "web"})
	if err != nil || n != 4 {
		t.Errorf("%d, %v; want 4", n, err)
	}
}
