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

// hindrances keep a probe pod of kn3 from starting. Each returns what takes it away again.
var hindrances = map[string]func(*testing.T) (remove func()){
	v1alpha1.ReasonUnschedulable: fullNode,
	v1alpha1.ReasonImagePull:     noImage,
	v1alpha1.ReasonQuota:         noQuota,
}

// TestHindrances: the run says what it waits for while it waits, and goes on as soon as it can.
func TestHindrances(t *testing.T) {
	for reason, bring := range hindrances {
		t.Run(reason, func(t *testing.T) {
			s := openShop(t)
			remove := bring(t)
			t.Cleanup(remove)
			p := s.probe(t, from("kn3"))
			hindered(t, p, reason)
			remove()
			ended(t, p, 1)
			expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
		})
	}
}

// fullNode has a pod request all that is left of kn3's processors.
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
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: leftOn(t, &n)}},
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

// leftOn is how much of a node's processors is free once the pods have ended that end by themselves. The pod that is to
// fill the node waits for these.
func leftOn(t *testing.T, n *corev1.Node) resource.Quantity {
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

// noImage takes the product's image off kn3. There is no registry to pull it from.
func noImage(t *testing.T) func() {
	onNode(t, "kn3", "ctr --namespace k8s.io images remove --sync "+
		"$(ctr --namespace k8s.io images list -q | grep -F tcpprobe.dev/tcpprobe:)")
	return func() {
		if err := script("test/cluster/load.sh", "dist/tcpprobe-image.tar"); err != nil {
			t.Error(err)
		}
	}
}

func noQuota(t *testing.T) func() {
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

// TestPodSecurityRefuses: an administrator who takes the probe namespace's privileges away learns what that does.
func TestPodSecurityRefuses(t *testing.T) {
	const level = "pod-security.kubernetes.io/enforce="
	s := openShop(t)
	t.Cleanup(func() { mustKubectl(t, "apply", "-k", "config/default") })
	mustKubectl(t, "label", "--overwrite", "namespace", probeNamespace, level+"restricted")
	p := s.probe(t, from("kn3"))
	hindered(t, p, v1alpha1.ReasonPodRefused)
	mustKubectl(t, "label", "--overwrite", "namespace", probeNamespace, level+"privileged")
	ended(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}
