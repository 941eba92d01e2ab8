package probepod

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

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
			At: controllertest.Noon}}, Since: map[types.UID]time.Time{pod.UID: controllertest.Noon},
		Pods:  map[string]*corev1.Pod{pod.Name: pod},
		Nodes: NodeReadiness{"kn1": true, "kn2": true, "kn3": true}, Now: controllertest.Noon.Add(age),
	}, pod
}

// TestGatedPodHasAStartDeadline: also a pod that nobody can release is lost in the end.
func TestGatedPodHasAStartDeadline(t *testing.T) {
	s, pod := exampleState(t, 10*time.Minute)
	pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: gate}}
	if o := s.Outcomes()[0]; o.State != Lost {
		t.Errorf("a pod that is never released has no start deadline: %+v", o)
	}
}

// TestPodsAreAsOldAsThisManagerKnowsThem: the time on record is that of another manager's clock. A manager that has
// just begun does not know yet how old a pod is.
func TestPodsAreAsOldAsThisManagerKnowsThem(t *testing.T) {
	for _, recorded := range []time.Duration{-time.Hour, 0, time.Hour} {
		for _, change := range []func(*RunState, *corev1.Pod){unschedulable, running} {
			s, pod := exampleState(t, 0)
			s.Records[0] = PodRecord{UID: pod.UID, At: controllertest.Noon.Add(recorded)}
			change(s, pod)
			for _, since := range []map[types.UID]time.Time{s.Since, nil} {
				s.Since = since
				if o := s.Outcomes()[0]; o.Final() {
					t.Errorf("recorded %v off, seen %v: %+v", recorded, since, o)
				}
			}
		}
	}
}

// TestOverdue: what the caches show counts only up to a deadline. From then on the pod is read.
func TestOverdue(t *testing.T) {
	for age, want := range map[time.Duration]bool{StartDeadline - time.Second: false, StartDeadline: true} {
		s, pod := exampleState(t, age)
		if s.Overdue(0) != want {
			t.Errorf("%v old: overdue is %v", age, !want)
		}
		running(s, pod)
		if s.Overdue(0) {
			t.Errorf("%v old: overdue although it runs", age)
		}
		pod.Status.Phase = corev1.PodFailed
		pod.Status.ContainerStatuses = nil
		if s.Overdue(0) {
			t.Errorf("%v old: overdue although it has ended", age)
		}
	}
}
