package reconciler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestStripKeepsWhatOutcomesNeed: a stripped object leads to the same decisions as the whole one.
func TestStripKeepsWhatOutcomesNeed(t *testing.T) {
	whole := controllertest.Node("kn1", "192.168.7.1")
	whole.Spec.Taints = []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoSchedule}}
	whole.Spec.PodCIDRs = []string{"10.244.1.0/24"}
	whole.Spec.ProviderID, whole.Annotations = "cloud://1", map[string]string{"a": "b"}
	whole.Status.Images = make([]corev1.ContainerImage, 50)
	whole.ManagedFields = make([]metav1.ManagedFieldsEntry, 3)
	stripped := whole.DeepCopy()
	mustStrip(t, stripped)
	if !target.NodeReady(stripped) || len(stripped.Spec.Taints) != 1 ||
		stripped.Status.NodeInfo != whole.Status.NodeInfo ||
		len(stripped.Status.Addresses) != 1 || len(stripped.Labels) != 1 || len(stripped.Spec.PodCIDRs) != 1 {
		t.Errorf("something that is needed was stripped: %+v", stripped)
	}
	if stripped.Status.Images != nil || stripped.Annotations != nil || stripped.Spec.ProviderID != "" ||
		stripped.ManagedFields != nil {
		t.Errorf("not stripped: %+v", stripped)
	}

	rp := plantest.Example([]string{"kn1"}, []string{"kn2"})
	configMap, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	pod := probepod.New(configMap, rp, 0, "kn1", probepod.Settings{})
	pod.UID = "pod-uid"
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
		Reason: "Unschedulable", Message: "0/3 nodes are available"}}
	s := &probepod.RunState{
		RunPlan: rp, ConfigMap: configMap, Records: probepod.PodRecords{0: {UID: pod.UID,
			At: controllertest.Noon}}, Since: map[types.UID]time.Time{pod.UID: controllertest.Noon},
		Pods:  map[string]*corev1.Pod{pod.Name: pod},
		Nodes: probepod.NodeReadiness{"kn1": true}, Now: controllertest.Noon.Add(probepod.StartDeadline + time.Second),
	}
	before := s.Outcomes()[0]
	mustStrip(t, pod)
	if after := s.Outcomes()[0]; after.Reason != before.Reason || !probepod.Gated(pod) ||
		!metav1.IsControlledBy(pod, configMap) || len(pod.Spec.Containers) != 0 {
		t.Errorf("stripped pod: %+v, was %+v", after, before)
	}

	if err := s.Records.Write(configMap, 1); err != nil {
		t.Fatal(err)
	}
	mustStrip(t, configMap)
	if configMap.Data != nil || configMap.Annotations[runplan.AnnotationRecords] != "" ||
		configMap.Annotations[runplan.AnnotationOpen] != "0" || runplan.ProbeOf(configMap).Name != "web" {
		t.Errorf("stripped plan: %+v", configMap)
	}
}

func mustStrip(t *testing.T, o any) {
	t.Helper()
	if _, err := strip(o); err != nil {
		t.Fatal(err)
	}
}
