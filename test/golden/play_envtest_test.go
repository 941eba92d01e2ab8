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

// furnish makes everything but the TCPProbe.
func (s *scene) furnish(c *cluster) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}}
	if err := c.api.Create(context.Background(), namespace); err != nil {
		return err
	}
	if s.IP != "" {
		if err := c.create(s.service(), s.name); err != nil {
			return err
		}
	}
	if s.Shop {
		if err := c.applyFile("testdata/cluster/shop.yaml", s.name); err != nil {
			return err
		}
	}
	for _, o := range s.objects {
		if err := c.create(o, s.name); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// service is the shop's, with an address that the API server does not choose.
func (s *scene) service() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "web"},
		"spec": map[string]any{"clusterIP": s.IP, "ports": []any{map[string]any{"name": "http", "port": int64(80)}}},
	}}
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// uid is what the TCPProbe has in every recording, so that run IDs and everything else that is made of it are the
// same.
func (s *scene) uid() types.UID {
	h := fnv.New64a()
	h.Write([]byte(s.name))
	return types.UID(fmt.Sprintf("%s%012x", fixedUIDs, h.Sum64()&0xffffffffffff))
}

const fixedUIDs = "6c0ffee0-0000-4000-8000-"

// begin stores the TCPProbe as the API server would, but with its UID.
func (s *scene) begin(c *cluster) error {
	if err := c.api.Create(context.Background(), s.probe, client.DryRunAll); err != nil {
		return err
	}
	s.probe.SetUID(s.uid())
	s.probe.SetManagedFields(nil)
	s.probe.SetResourceVersion("")
	return c.store(s.probe)
}

// play lets everything happen that the scene says, and returns what came of it.
func (s *scene) play(t *testing.T, c *cluster) string {
	t.Helper()
	if err := s.begin(c); apierrors.IsInvalid(err) {
		return "# refused when it is applied\n" + err.Error() + "\n"
	} else if err != nil {
		t.Fatal(err)
	}
	k := &kubelet{cluster: c, scene: s, fates: s.Pods, done: make(map[types.UID]bool)}
	r := &recorder{cluster: c, scene: s, kubelet: k}
	k.watch(t, s.Until)
	r.add(t, "")
	for i, step := range s.Steps {
		if step.Pods != nil {
			k.fates = step.Pods
		}
		if err := s.change(c, step); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
		k.watch(t, step.Until)
		r.add(t, fmt.Sprintf("after step %d", i+1))
	}
	return r.document(t)
}

func (s *scene) change(c *cluster, step step) error {
	if step.Patch == nil {
		return nil
	}
	o := s.probe
	if step.Object != "" {
		kind, name, _ := strings.Cut(step.Object, "/")
		for _, candidate := range s.objects {
			if candidate.GetKind() == kind && candidate.GetName() == name {
				o = candidate
			}
		}
		if o == s.probe {
			return fmt.Errorf("there is no %s", step.Object)
		}
	}
	patch := client.RawPatch(types.MergePatchType, []byte(mustJSON(step.Patch)))
	return c.api.Patch(context.Background(), o.DeepCopy(), patch)
}

// leave removes the TCPProbe, and what the manager makes for it, without waiting for anybody.
func (s *scene) leave(t *testing.T, c *cluster) {
	t.Helper()
	ctx := context.Background()
	mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": s.probe.GetNamespace()}
	for _, err := range []error{
		client.IgnoreNotFound(c.api.Delete(ctx, s.probe)),
		c.api.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(probeNamespace), mine),
		c.api.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(probeNamespace), mine, client.GracePeriodSeconds(0)),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

// now is the TCPProbe as it is.
func (s *scene) now(t *testing.T, c *cluster) *unstructured.Unstructured {
	t.Helper()
	probe := &unstructured.Unstructured{}
	probe.SetGroupVersionKind(s.probe.GroupVersionKind())
	if err := c.api.Get(t.Context(), client.ObjectKeyFromObject(s.probe), probe); err != nil {
		t.Fatal(err)
	}
	return probe
}

// met reports whether a TCPProbe is as a scene demands, such as "Complete=Completed run 2": a condition's type, its
// reason, and a part of its message, or the end of it with $ behind. The condition is of the spec as it is now.
func met(probe *unstructured.Unstructured, until string) bool {
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
