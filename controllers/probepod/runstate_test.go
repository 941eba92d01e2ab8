package probepod

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// exampleState is a run with one source, kn1, whose pod was released at noon.
func exampleState(t *testing.T, age time.Duration) (*RunState, *corev1.Pod) {
	t.Helper()
	rp := plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"})
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	pod := New(configMap, rp, 0, "kn1", exampleSettings())
	pod.UID, pod.Spec.SchedulingGates = "pod-uid", nil
	pod.Status.Phase = corev1.PodPending
	return &RunState{
		RunPlan: rp, ConfigMap: configMap, Records: PodRecords{0: {UID: pod.UID,
			At: controllertest.Noon}}, Pods: map[string]*corev1.Pod{pod.Name: pod},
		Nodes: NodeReadiness{"kn1": true, "kn2": true, "kn3": true}, Now: controllertest.Noon.Add(age),
	}, pod
}

func TestStartDeadlineAfterAManagerRestart(t *testing.T) {
	s, pod := exampleState(t, 10*time.Minute)
	pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: gate}}
	if s.Resume(controllertest.Noon.Add(-time.Hour)) {
		t.Error("a manager that did not restart starts the deadline again")
	}
	if o := s.Outcomes()[0]; o.State != Lost {
		t.Errorf("a pod that is never released has no start deadline: %+v", o)
	}
	if !s.Resume(controllertest.Noon.Add(9 * time.Minute)) {
		t.Error("a new manager does not start the deadline again")
	}
	if o := s.Outcomes()[0]; o.State != Starting {
		t.Errorf("lost because the manager was away: %+v", o)
	}
	pod.Spec.SchedulingGates = nil
	s.Records[0] = PodRecord{UID: pod.UID, At: controllertest.Noon}
	if s.Resume(controllertest.Noon.Add(9 * time.Minute)) {
		t.Error("a pod that was released before gets another deadline")
	}
}
