//go:build envtest

package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// kubelet does the work of scheduler, kubelets and probers for one case. It sets the outcome of each released probe
// pod once.
type kubelet struct {
	*cluster
	testCase *testCase
	outcomes map[string]string
	done     map[types.UID]bool
	seen     []corev1.Pod       // as they were released
	plans    []corev1.ConfigMap // the plans of these pods
}

// podOutcome is a file of testdata/outcomes: what happens to a probe pod.
type podOutcome struct {
	Message  *message          `json:"message"`  // the container ends with exit code 0 and this termination message
	Status   *corev1.PodStatus `json:"status"`   // or the pod gets this status
	Deleted  bool              `json:"deleted"`  // or the pod is deleted
	Backdate bool              `json:"backdate"` // or the record of its release is set two hours back
	Shop     *corev1.PodStatus `json:"shop"`     // before: the shop's pod web-1 gets this status
	Ended    string            `json:"ended"`    // before: this pod of the shop has ended
	Node     map[string]any    `json:"node"`     // before: the pod's node gets this status
	NoNode   bool              `json:"noNode"`   // before: the pod's node is deleted
}

// watch sets outcomes of pods until the TCPProbe has the condition that the case waits for.
func (k *kubelet) watch(t *testing.T, until string) { //nolint:gocognit // one loop over two watches
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	probes := &unstructured.UnstructuredList{}
	probes.SetGroupVersionKind(k.testCase.probe.GroupVersionKind())
	var statuses, pods watch.Interface
	last := "nothing"
	for {
		var err error
		if statuses == nil {
			statuses, err = k.api.Watch(ctx, probes, client.InNamespace(k.testCase.probe.GetNamespace()))
		}
		if pods == nil && err == nil {
			pods, err = k.api.Watch(ctx, &corev1.PodList{}, client.InNamespace(probeNamespace),
				client.MatchingLabels{"tcpprobe.dev/probe-namespace": k.testCase.probe.GetNamespace()})
		}
		if err != nil {
			t.Fatalf("%v; waited for %q, have %s", err, until, last)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("gave up waiting for %q; have %s", until, last)
		case e, open := <-statuses.ResultChan():
			if !open {
				statuses = nil
			} else if now, is := e.Object.(*unstructured.Unstructured); is && now.GetName() == k.testCase.probe.GetName() {
				last = mustJSON(now.Object["status"])
				if conditionMet(now, until) {
					statuses.Stop()
					pods.Stop()
					return
				}
			}
		case e, open := <-pods.ResultChan():
			if !open {
				pods = nil
			} else if pod, is := e.Object.(*corev1.Pod); is && e.Type != watch.Deleted {
				if err := k.setOutcome(ctx, pod); err != nil && !apierrors.IsNotFound(err) {
					t.Fatalf("pod %s: %v", pod.Name, err)
				}
			}
		}
	}
}

// setOutcome sets the outcome of a released pod.
func (k *kubelet) setOutcome(ctx context.Context, pod *corev1.Pod) error {
	if len(pod.Spec.SchedulingGates) > 0 || k.done[pod.UID] || pod.DeletionTimestamp != nil {
		return nil
	}
	k.done[pod.UID] = true
	var configMap corev1.ConfigMap
	key := client.ObjectKey{Namespace: pod.Namespace, Name: pod.Spec.Volumes[0].ConfigMap.Name}
	if err := k.api.Get(ctx, key, &configMap); err != nil {
		return err
	}
	k.seen = append(k.seen, *pod)
	if !slices.ContainsFunc(k.plans, func(o corev1.ConfigMap) bool { return o.Name == configMap.Name }) {
		k.plans = append(k.plans, configMap)
	}
	node := pod.Annotations["tcpprobe.dev/source"]
	name, there := k.outcomes[node]
	if !there {
		name = k.outcomes["any"]
	}
	if name == "" || name == "none" {
		return nil
	}
	f, err := readOutcome(name)
	if err != nil {
		return err
	}
	return k.apply(ctx, f, pod, &configMap, node)
}

func readOutcome(name string) (*podOutcome, error) {
	text, err := os.ReadFile(filepath.Join(testdata, "outcomes", name+".yaml"))
	if err != nil {
		return nil, err
	}
	f := &podOutcome{}
	return f, yaml.UnmarshalStrict(text, f)
}

func (k *kubelet) apply(ctx context.Context, f *podOutcome, pod *corev1.Pod, configMap *corev1.ConfigMap,
	node string) error {
	if err := k.changeSurroundings(ctx, f, node); err != nil {
		return err
	}
	switch {
	case f.Deleted:
		return k.api.Delete(ctx, pod, client.GracePeriodSeconds(0))
	case f.Backdate:
		return k.backdate(ctx, configMap)
	case f.Status != nil:
		pod.Status = *f.Status
		return k.api.Status().Update(ctx, pod)
	case f.Message != nil:
		text, err := f.Message.text(configMap.Data["plan.json"], node)
		if err != nil {
			return err
		}
		pod.Status = corev1.PodStatus{Phase: corev1.PodSucceeded, ContainerStatuses: []corev1.ContainerStatus{{Name: "prober",
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Message: text, Reason: "Completed", FinishedAt: metav1.Now(),
			}},
		}}}
		return k.api.Status().Update(ctx, pod)
	}
	return nil
}

// changeSurroundings changes the shop's pods and the node before the pod ends.
func (k *kubelet) changeSurroundings(ctx context.Context, f *podOutcome, node string) error {
	shop := k.testCase.name
	if f.Shop != nil {
		var pod corev1.Pod
		if err := k.api.Get(ctx, client.ObjectKey{Namespace: shop, Name: "web-1"}, &pod); err != nil {
			return err
		}
		pod.Status = *f.Shop
		if err := k.api.Status().Update(ctx, &pod); err != nil {
			return err
		}
	}
	if f.Ended != "" {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: f.Ended}}
		patch := client.RawPatch(types.MergePatchType, []byte(`{"status": {"phase": "Succeeded"}}`))
		if err := k.api.Status().Patch(ctx, pod, patch); err != nil {
			return err
		}
	}
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
	switch {
	case f.NoNode:
		return k.api.Delete(ctx, object)
	case f.Node != nil:
		patch := client.RawPatch(types.MergePatchType, []byte(mustJSON(map[string]any{"status": f.Node})))
		return k.api.Status().Patch(ctx, object, patch)
	}
	return nil
}

// releaseTimes matches the times in the records of a run's pods.
var releaseTimes = regexp.MustCompile(`("at":")[^"]*`)

// backdate sets the release times of a run's pods two hours back, so that deadlines have passed.
func (k *kubelet) backdate(ctx context.Context, configMap *corev1.ConfigMap) error {
	const record = "tcpprobe.dev/launches"
	at := metav1.Now().Add(-7200e9).UTC().Format("2006-01-02T15:04:05Z")
	annotations := map[string]any{record: releaseTimes.ReplaceAllString(configMap.Annotations[record], "${1}"+at)}
	patch := mustJSON(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	return k.api.Patch(ctx, configMap.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
}

// plan is the part of a run's plan that a message needs.
type plan struct {
	Run       string                       `json:"run"`
	Sources   map[string][]int             `json:"sources"`
	Scenarios []map[string]json.RawMessage `json:"scenarios"`
}

// only has, by source, the targets that a check asks about. It is nil if the check asks about all.
type only map[string][]int

// checks has one element for each scenario and variant.
func (p *plan) checks() (all []only) {
	for _, s := range p.Scenarios {
		var variants []string
		var restriction only
		_ = json.Unmarshal(s["variants"], &variants)
		_ = json.Unmarshal(s["only"], &restriction)
		for range max(1, len(variants)) {
			all = append(all, restriction)
		}
	}
	return all
}

func readPlan(text string) (*plan, error) {
	p := &plan{}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return p, nil
}
