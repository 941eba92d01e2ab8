package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

func TestProbePodsRunTheManagersImage(t *testing.T) {
	self := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "tcpprobe-system", Name: "manager-0"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "sidecar", Image: "example.test/mesh:1"},
			{Name: "manager", Image: "example.test/tcpprobe:2", ImagePullPolicy: corev1.PullNever},
		}},
	}
	api := fake.NewClientBuilder().WithObjects(self).Build()
	s := &settings{namespace: "tcpprobe-system", pod: "manager-0"}
	err := s.imageOfSelf(t.Context(), api)
	if err != nil || s.prober.Image != "example.test/tcpprobe:2" || s.prober.PullPolicy != corev1.PullNever {
		t.Errorf("%+v, %v", s.prober, err)
	}
	set := &settings{namespace: "tcpprobe-system", pod: "gone", prober: probepod.Settings{Image: "example.test/other:1"}}
	if err := set.imageOfSelf(t.Context(), api); err != nil || set.prober.Image != "example.test/other:1" {
		t.Errorf("an image that was set is not used: %+v, %v", set.prober, err)
	}
	gone := &settings{namespace: "tcpprobe-system", pod: "gone"}
	if err := gone.imageOfSelf(t.Context(), api); err == nil || !strings.Contains(err.Error(), "set --prober-image") {
		t.Errorf("no Pod: %v", err)
	}
}
