//go:build envtest

package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// createObjects creates everything but the TCPProbe.
func (tc *testCase) createObjects(c *cluster) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tc.name}}
	if err := c.api.Create(context.Background(), namespace); err != nil {
		return err
	}
	if tc.IP != "" {
		if err := c.create(tc.service(), tc.name); err != nil {
			return err
		}
	}
	if tc.Shop {
		if err := c.applyFile("testdata/cluster/shop.yaml", tc.name); err != nil {
			return err
		}
	}
	for _, o := range tc.objects {
		if err := c.create(o, tc.name); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// service is the shop's Service with a fixed ClusterIP.
func (tc *testCase) service() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"},
		"spec": map[string]any{"clusterIP": tc.IP, "ports": []any{map[string]any{"name": "http", "port": int64(80)}}},
	}}
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// uid is the TCPProbe's UID, the same in every recording. So run IDs and all that depends on the UID are the same too.
func (tc *testCase) uid() types.UID {
	h := fnv.New64a()
	h.Write([]byte(tc.name))
	return types.UID(fmt.Sprintf("%s%012x", fixedUIDs, h.Sum64()&0xffffffffffff))
}

const fixedUIDs = "6c0ffee0-0000-4000-8000-"

// createProbe stores the TCPProbe as the API server would, but with its fixed UID.
func (tc *testCase) createProbe(c *cluster) error {
	if err := c.api.Create(context.Background(), tc.probe, client.DryRunAll); err != nil {
		return err
	}
	tc.probe.SetUID(tc.uid())
	tc.probe.SetManagedFields(nil)
	tc.probe.SetResourceVersion("")
	return c.store(tc.probe)
}

// run does everything that the case describes, and returns the document.
func (tc *testCase) run(t *testing.T, c *cluster) string {
	t.Helper()
	if err := tc.createProbe(c); apierrors.IsInvalid(err) {
		return "# refused when it is applied\n" + err.Error() + "\n"
	} else if err != nil {
		t.Fatal(err)
	}
	k := &kubelet{cluster: c, testCase: tc, outcomes: tc.Pods, done: make(map[types.UID]bool)}
	r := &recorder{cluster: c, testCase: tc, kubelet: k}
	k.watch(t, tc.Until)
	r.add(t, "")
	for i, step := range tc.Steps {
		if step.Pods != nil {
			k.outcomes = step.Pods
		}
		if err := tc.change(c, step); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
		k.watch(t, step.Until)
		r.add(t, fmt.Sprintf("after step %d", i+1))
	}
	return r.document(t)
}

func (tc *testCase) change(c *cluster, step step) error {
	if step.Patch == nil {
		return nil
	}
	o := tc.probe
	if step.Object != "" {
		kind, name, _ := strings.Cut(step.Object, "/")
		for _, candidate := range tc.objects {
			if candidate.GetKind() == kind && candidate.GetName() == name {
				o = candidate
			}
		}
		if o == tc.probe {
			return fmt.Errorf("there is no %s", step.Object)
		}
	}
	patch := client.RawPatch(types.MergePatchType, []byte(mustJSON(step.Patch)))
	return c.api.Patch(context.Background(), o.DeepCopy(), patch)
}

// cleanUp deletes the TCPProbe, and what the manager created for it, without waiting for a controller.
func (tc *testCase) cleanUp(t *testing.T, c *cluster) {
	t.Helper()
	ctx := context.Background()
	mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": tc.probe.GetNamespace()}
	for _, err := range []error{
		client.IgnoreNotFound(c.api.Delete(ctx, tc.probe)),
		c.api.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(probeNamespace), mine),
		c.api.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(probeNamespace), mine, client.GracePeriodSeconds(0)),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// current is the TCPProbe as the API server has it.
func (tc *testCase) current(t *testing.T, c *cluster) *unstructured.Unstructured {
	t.Helper()
	probe := &unstructured.Unstructured{}
	probe.SetGroupVersionKind(tc.probe.GroupVersionKind())
	if err := c.api.Get(t.Context(), client.ObjectKeyFromObject(tc.probe), probe); err != nil {
		t.Fatal(err)
	}
	return probe
}

// conditionMet reports whether a TCPProbe has a condition such as "Complete=Completed run 2": a condition's type, its
// reason, and a part of its message. With $ at the end it is the end of the message. The condition must be of the
// present generation.
func conditionMet(probe *unstructured.Unstructured, until string) bool {
	kind, rest, _ := strings.Cut(until, "=")
	reason, words, _ := strings.Cut(rest, " ")
	conditions, _, _ := unstructured.NestedSlice(probe.Object, "status", "conditions")
	for _, c := range conditions {
		c := c.(map[string]any)
		if c["type"] == kind {
			message := c["message"].(string)
			if end, last := strings.CutSuffix(words, "$"); last && !strings.HasSuffix(message, end) {
				return false
			}
			current := c["observedGeneration"] == probe.GetGeneration()
			return current && c["reason"] == reason && strings.Contains(message, strings.TrimSuffix(words, "$"))
		}
	}
	return false
}

const patience = 2 * time.Minute
