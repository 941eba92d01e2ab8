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

// kubelet plays scheduler, kubelets and probers for one scene: each probe pod that is released meets its fate once.
type kubelet struct {
	*cluster
	scene *scene
	fates map[string]string
	done  map[types.UID]bool
	seen  []corev1.Pod       // as they were released
	plans []corev1.ConfigMap // of these
}

// fate is a file of testdata/fates: what becomes of a probe pod.
type fate struct {
	Message  *message          `json:"message"`  // the container ends well and leaves this
	Status   *corev1.PodStatus `json:"status"`   // what the kubelet says instead
	Deleted  bool              `json:"deleted"`  // somebody deletes the pod
	Backdate bool              `json:"backdate"` // the record of its release is made two hours older
	Shop     *corev1.PodStatus `json:"shop"`     // first, the status of the shop's pod web-1 becomes this
	Gone     string            `json:"gone"`     // first, this pod of the shop is deleted
	Node     map[string]any    `json:"node"`     // the status of the pod's node becomes this
	NoNode   bool              `json:"noNode"`   // its node is deleted
}

// watch lets pods meet their fates until the TCPProbe is as the scene demands.
func (k *kubelet) watch(t *testing.T, until string) { //nolint:gocognit // one loop over two watches
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	probes := &unstructured.UnstructuredList{}
	probes.SetGroupVersionKind(k.scene.probe.GroupVersionKind())
	var statuses, pods watch.Interface
	last := "nothing"
	for {
		var err error
		if statuses == nil {
			statuses, err = k.api.Watch(ctx, probes, client.InNamespace(k.scene.probe.GetNamespace()))
		}
		if pods == nil && err == nil {
			pods, err = k.api.Watch(ctx, &corev1.PodList{}, client.InNamespace(probeNamespace),
				client.MatchingLabels{"tcpprobe.dev/probe-namespace": k.scene.probe.GetNamespace()})
		}
		if err != nil {
			t.Fatalf("%v; waited for %q, have %s", err, until, last)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %q; have %s", until, last)
		case e, open := <-statuses.ResultChan():
			if !open {
				statuses = nil
			} else if now, is := e.Object.(*unstructured.Unstructured); is && now.GetName() == k.scene.probe.GetName() {
				last = mustJSON(now.Object["status"])
				if met(now, until) {
					statuses.Stop()
					pods.Stop()
					return
				}
			}
		case e, open := <-pods.ResultChan():
			if !open {
				pods = nil
			} else if pod, is := e.Object.(*corev1.Pod); is && e.Type != watch.Deleted {
				if err := k.meet(ctx, pod); err != nil && !apierrors.IsNotFound(err) {
					t.Fatalf("pod %s: %v", pod.Name, err)
				}
			}
		}
	}
}

// meet gives a released pod its fate.
func (k *kubelet) meet(ctx context.Context, pod *corev1.Pod) error {
	if len(pod.Spec.SchedulingGates) > 0 || k.done[pod.UID] || pod.DeletionTimestamp != nil {
		return nil
	}
	k.done[pod.UID] = true
	var order corev1.ConfigMap
	key := client.ObjectKey{Namespace: pod.Namespace, Name: pod.Spec.Volumes[0].ConfigMap.Name}
	if err := k.api.Get(ctx, key, &order); err != nil {
		return err
	}
	k.seen = append(k.seen, *pod)
	if !slices.ContainsFunc(k.plans, func(o corev1.ConfigMap) bool { return o.Name == order.Name }) {
		k.plans = append(k.plans, order)
	}
	node := pod.Annotations["tcpprobe.dev/source"]
	name, there := k.fates[node]
	if !there {
		name = k.fates["any"]
	}
	if name == "" || name == "none" {
		return nil
	}
	f, err := readFate(name)
	if err != nil {
		return err
	}
	return k.carryOut(ctx, f, pod, &order, node)
}

func readFate(name string) (*fate, error) {
	text, err := os.ReadFile(filepath.Join(testdata, "fates", name+".yaml"))
	if err != nil {
		return nil, err
	}
	f := &fate{}
	return f, yaml.UnmarshalStrict(text, f)
}

func (k *kubelet) carryOut(ctx context.Context, f *fate, pod *corev1.Pod, order *corev1.ConfigMap, node string) error {
	if err := k.disturb(ctx, f, node); err != nil {
		return err
	}
	switch {
	case f.Deleted:
		return k.api.Delete(ctx, pod, client.GracePeriodSeconds(0))
	case f.Backdate:
		return k.backdate(ctx, order)
	case f.Status != nil:
		pod.Status = *f.Status
		return k.api.Status().Update(ctx, pod)
	case f.Message != nil:
		text, err := f.Message.text(order.Data["plan.json"], node)
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

// disturb changes what the run is about, before the pod ends.
func (k *kubelet) disturb(ctx context.Context, f *fate, node string) error {
	shop := k.scene.name
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
	if f.Gone != "" {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: f.Gone}}
		if err := client.IgnoreNotFound(k.api.Delete(ctx, pod, client.GracePeriodSeconds(0))); err != nil {
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

// released are the times in the record of a run's pods.
var released = regexp.MustCompile(`("at":")[^"]*`)

// backdate makes the releases of a run's pods two hours older, so that nobody has to wait for deadlines.
func (k *kubelet) backdate(ctx context.Context, order *corev1.ConfigMap) error {
	const record = "tcpprobe.dev/launches"
	at := metav1.Now().Add(-7200e9).UTC().Format("2006-01-02T15:04:05Z")
	annotations := map[string]any{record: released.ReplaceAllString(order.Annotations[record], "${1}"+at)}
	patch := mustJSON(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	return k.api.Patch(ctx, order.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
}

// plan is what a message has to know of a run's plan.
type plan struct {
	Run       string                       `json:"run"`
	Sources   map[string][]int             `json:"sources"`
	Scenarios []map[string]json.RawMessage `json:"scenarios"`
}

// only are the targets that one check asks each source about, where it does not ask about all.
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
