package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestStripKeepsWhatDecides: a stripped object gives the same decisions as the whole one.
func TestStripKeepsWhatDecides(t *testing.T) {
	whole := node("kn1", "192.168.7.1")
	whole.Spec.Taints = []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoSchedule}}
	whole.Spec.PodCIDRs = []string{"10.244.1.0/24"}
	whole.Spec.ProviderID, whole.Annotations = "cloud://1", map[string]string{"a": "b"}
	whole.Status.Images = make([]corev1.ContainerImage, 50)
	whole.ManagedFields = make([]metav1.ManagedFieldsEntry, 3)
	stripped := whole.DeepCopy()
	mustStrip(t, stripped)
	if unable(stripped, nil) != unable(whole, nil) || len(stripped.Status.Addresses) != 1 || len(stripped.Labels) != 1 || len(stripped.Spec.PodCIDRs) != 1 {
		t.Errorf("stripped of something that is needed: %+v", stripped)
	}
	if stripped.Status.Images != nil || stripped.Annotations != nil || stripped.Spec.ProviderID != "" || stripped.ManagedFields != nil {
		t.Errorf("not stripped: %+v", stripped)
	}

	s, pod := exampleScene(t, late)
	pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: gate}}
	unschedulable(s, pod)
	before := s.outcomes()[0]
	mustStrip(t, pod)
	if after := s.outcomes()[0]; after.Reason != before.Reason || !gated(pod) || orderOf(pod) != s.Order.Name || len(pod.Spec.Containers) != 0 {
		t.Errorf("stripped pod: %+v, was %+v", after, before)
	}

	order := s.Order
	if err := s.Launches.record(order, 1); err != nil {
		t.Fatal(err)
	}
	mustStrip(t, order)
	if order.Data != nil || order.Annotations[annotationLaunches] != "" || order.Annotations[annotationOpen] != "0" || probeOf(order).Name != "web" {
		t.Errorf("stripped order: %+v", order)
	}
}

func mustStrip(t *testing.T, o any) {
	t.Helper()
	if _, err := strip(o); err != nil {
		t.Fatal(err)
	}
}
