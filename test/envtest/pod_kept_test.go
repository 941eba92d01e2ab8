//go:build envtest

package envtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestProbePodsStayAsTheyWereMade(t *testing.T) {
	k := policed(t)
	pod := managersPod(t)
	if err := k.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Delete(context.Background(), pod, client.GracePeriodSeconds(0)) })
	released := pod.DeepCopy()
	released.Spec.SchedulingGates = nil
	if err := k.Patch(t.Context(), released, client.MergeFrom(pod), client.DryRunAll); err != nil {
		t.Errorf("the manager cannot release its pod: %v", err)
	}
	for what, change := range updates {
		changed := pod.DeepCopy()
		change(changed)
		err := api.Update(t.Context(), changed, client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), "a probe pod stays as it was made") {
			t.Errorf("%s by an update: %v", what, err)
		}
	}
	labelled := pod.DeepCopy()
	labelled.Annotations["example.test/seen"] = "yes"
	if err := api.Update(t.Context(), labelled, client.DryRunAll); err != nil {
		t.Errorf("what others note in annotations is refused: %v", err)
	}
	debugged := pod.DeepCopy()
	debugContainer := corev1.EphemeralContainerCommon{
		Name: "debug", Image: "example.test/other:1",
		ImagePullPolicy: corev1.PullNever, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}
	debugged.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: debugContainer}}
	resized := pod.DeepCopy()
	resized.Spec.Containers[0].Resources.Limits[corev1.ResourceMemory] = resource.MustParse("100Mi")
	for sub, o := range map[string]*corev1.Pod{"ephemeralcontainers": debugged, "resize": resized} {
		err := api.SubResource(sub).Update(t.Context(), o, client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), "nobody may use pods/"+sub+" in the probe namespace") {
			t.Errorf("%s: %v", sub, err)
		}
	}
}

// updates are what the API server lets change of a pod that exists and is not scheduled yet, besides metadata.
var updates = map[string]func(*corev1.Pod){
	"another image":      func(p *corev1.Pod) { p.Spec.Containers[0].Image = "example.test/other:1" },
	"a shorter deadline": func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64(60)) },
	"a toleration": func(p *corev1.Pod) {
		p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{Operator: corev1.TolerationOpExists})
	},
	"a node selector": func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"a": "b"} },
	"a narrower affinity": func(p *corev1.Pod) {
		terms := p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
		terms[0].MatchExpressions = []corev1.NodeSelectorRequirement{{Key: "a", Operator: corev1.NodeSelectorOpExists}}
	},
}

// TestNobodyGetsIntoAProbePod: not even an administrator executes, attaches or forwards there, or edits the policy's
// pods by another way. Elsewhere that goes on as it does.
func TestNobodyGetsIntoAProbePod(t *testing.T) {
	k := policed(t)
	pod := managersPod(t)
	pod.Name += "-entered"
	if err := k.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Delete(context.Background(), pod, client.GracePeriodSeconds(0)) })
	elsewhere := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(t), Name: "web"},
		Spec: corev1.PodSpec{AutomountServiceAccountToken: new(false), ServiceAccountName: "default",
			Containers: []corev1.Container{{Name: "web", Image: "web"}}}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere.Namespace, Name: "default"}}
	for _, o := range []client.Object{account, elsewhere} {
		if err := api.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"exec", "attach", "portforward", "proxy"} {
		const refusal = "in the probe namespace; what a probe pod did is in its log"
		if says := fmt.Sprint(enter(t, pod, sub)); !strings.Contains(says, "nobody may use pods/"+sub+" "+refusal) {
			t.Errorf("%s: %s", sub, says)
		}
		if says := fmt.Sprint(enter(t, elsewhere, sub)); strings.Contains(says, refusal) {
			t.Errorf("%s elsewhere: %s", sub, says)
		}
	}
}
