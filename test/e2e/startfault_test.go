//go:build e2e

package e2e

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// startFaults keep a probe pod from starting on kn3. Each returns what undoes it.
var startFaults = map[string]func(*testing.T) (undo func()){
	v1alpha1.ReasonUnschedulable: fullNode,
	v1alpha1.ReasonImagePull:     noImage,
	v1alpha1.ReasonQuota:         emptyQuota,
}

// TestStartFaults: the status says what the run waits for, and the run continues as soon as it can.
func TestStartFaults(t *testing.T) {
	for reason, cause := range startFaults {
		t.Run(reason, func(t *testing.T) {
			s := newTenant(t)
			undo := cause(t)
			t.Cleanup(undo)
			p := s.probe(t, fromNodes("kn3"))
			waitForReason(t, p, reason)
			undo()
			waitForRun(t, p, 1)
			expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
		})
	}
}

// fullNode has a pod request all free CPU of kn3.
func fullNode(t *testing.T) func() {
	var n corev1.Node
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Name: "kn3"}, &n); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, GenerateName: "full-"},
		Spec: corev1.PodSpec{
			NodeSelector: map[string]string{corev1.LabelHostname: n.Name},
			Containers: []corev1.Container{{
				Name: "full", Image: "tcpprobe.dev/pause:test", ImagePullPolicy: corev1.PullNever,
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: freeCPU(t, &n)}},
			}},
		},
	}
	create(t, pod)
	eventually(t, func() string {
		if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			t.Fatal(err)
		}
		if pod.Spec.NodeName == "" {
			return "the pod that fills kn3 is not scheduled"
		}
		return ""
	})
	return deleting(pod)
}

// freeCPU is the CPU of a node that is free once the pods have ended that end by themselves. The pod that is to fill
// the node waits for these.
func freeCPU(t *testing.T, n *corev1.Node) resource.Quantity {
	t.Helper()
	left := n.Status.Allocatable.Cpu().DeepCopy()
	var pods corev1.PodList
	if err := cluster.client.List(t.Context(), &pods); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		goes := pod.DeletionTimestamp != nil || pod.Namespace == probeNamespace
		over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if goes || over || pod.Spec.NodeName != n.Name {
			continue
		}
		for _, c := range pod.Spec.Containers {
			left.Sub(*c.Resources.Requests.Cpu())
		}
	}
	return left
}

// noImage removes the product's image from kn3. There is no registry to pull it from.
func noImage(t *testing.T) func() {
	onNode(t, "kn3", "ctr --namespace k8s.io images remove --sync "+
		"$(ctr --namespace k8s.io images list -q | grep -F localhost/tcpprobe:)")
	return func() {
		if err := script("test/cluster/load.sh", "dist/tcpprobe-image.tar"); err != nil {
			t.Error(err)
		}
	}
}

func emptyQuota(t *testing.T) func() {
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: probeNamespace, Name: "none"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
	}
	create(t, quota)
	return deleting(quota)
}

func deleting(object client.Object) func() {
	return func() { _ = cluster.client.Delete(context.Background(), object, client.GracePeriodSeconds(0)) }
}

// TestPodSecurityRefuses: if Pod Security does not allow the probe pods, the status says so.
func TestPodSecurityRefuses(t *testing.T) {
	const level = "pod-security.kubernetes.io/enforce="
	s := newTenant(t)
	t.Cleanup(func() { mustKubectl(t, "apply", "-k", "test/cluster/operator") })
	mustKubectl(t, "label", "--overwrite", "namespace", probeNamespace, level+"restricted")
	p := s.probe(t, fromNodes("kn3"))
	waitForReason(t, p, v1alpha1.ReasonPodRefused)
	mustKubectl(t, "label", "--overwrite", "namespace", probeNamespace, level+"privileged")
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}
