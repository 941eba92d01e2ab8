//go:build envtest

package golden

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// stored is a file of testdata/upgrade: a TCPProbe as an older manager left it, with its plans and probe pods.
type stored struct {
	Recorded time.Time         `json:"recorded"`
	Shop     map[string]string `json:"shop"` // UIDs of the Service's pods, by name

	probe, plan *unstructured.Unstructured
	pods        []*unstructured.Unstructured
}

func storedFile(name string) string { return filepath.Join(testdata, "upgrade", name+".yaml") }

// store writes the case's objects to its file.
func (tc *testCase) store(t *testing.T, c *cluster) {
	t.Helper()
	head := stored{Recorded: time.Now().UTC().Truncate(time.Second), Shop: make(map[string]string)}
	var shop corev1.PodList
	if err := c.api.List(t.Context(), &shop, client.InNamespace(tc.name)); err != nil {
		t.Fatal(err)
	}
	for _, pod := range shop.Items {
		head.Shop[pod.Name] = string(pod.UID)
	}
	probe := tc.probe.DeepCopy()
	if err := c.api.Get(t.Context(), client.ObjectKeyFromObject(probe), probe); err != nil {
		t.Fatal(err)
	}
	parts := []any{head, bare(probe)}
	for _, kind := range []string{"ConfigMap", "Pod"} {
		list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": kind + "List"}}
		mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": tc.name}
		if err := c.api.List(t.Context(), list, client.InNamespace(probeNamespace), mine); err != nil {
			t.Fatal(err)
		}
		if _, active, _ := unstructured.NestedMap(probe.Object, "status", "activeRun"); !active {
			continue // they are of runs that have ended
		}
		for i := range list.Items {
			parts = append(parts, bare(&list.Items[i]))
		}
	}
	var out bytes.Buffer
	for _, part := range parts {
		text, err := yaml.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	if err := os.WriteFile(storedFile(tc.name), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// bare is an object without the fields that the API server sets for itself.
func bare(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	return o.Object
}

func readStored(name string) (*stored, error) {
	text, err := os.ReadFile(storedFile(name))
	if err != nil {
		return nil, err
	}
	objects, err := documentsOf(text)
	if err != nil {
		return nil, err
	}
	s := &stored{}
	if err := json.Unmarshal([]byte(mustJSON(objects[0].Object)), s); err != nil {
		return nil, err
	}
	for _, o := range objects[1:] {
		switch o.GetKind() {
		case "TCPProbe":
			s.probe = o
		case "ConfigMap":
			s.plan = o
		case "Pod":
			s.pods = append(s.pods, o)
		}
	}
	if s.probe == nil {
		return nil, fmt.Errorf("%s: no TCPProbe", name)
	}
	return s, nil
}

var anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

const day = 24 * time.Hour // the interval of the stored TCPProbes that recur

// withNewTimes is an object with other UIDs, and with times as if it had been recorded just now. Its next slot stays
// one of its slots.
func (s *stored) withNewTimes(o *unstructured.Unstructured, uids map[string]string) *unstructured.Unstructured {
	now := time.Now().UTC().Truncate(time.Second)
	next, _, _ := unstructured.NestedString(o.Object, "status", "nextRunTime")
	text := anyTime.ReplaceAllStringFunc(mustJSON(o.Object), func(was string) string {
		at, err := time.Parse(time.RFC3339Nano, was)
		if err != nil {
			panic(err)
		}
		if was != next {
			return at.Add(now.Sub(s.Recorded)).Format(time.RFC3339Nano)
		}
		for !at.After(now.Add(2 * patience)) { // no slot comes during the test
			at = at.Add(day)
		}
		return at.Format(time.RFC3339)
	})
	for was, is := range uids {
		text = strings.ReplaceAll(text, was, is)
	}
	out := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text), &out.Object); err != nil {
		panic(err)
	}
	return out
}

// restore creates everything again on a cluster that has the Service's pods.
func (s *stored) restore(ctx context.Context, c *cluster, change map[string]any) error {
	uids := make(map[string]string)
	for name, was := range s.Shop {
		var pod corev1.Pod
		if err := c.api.Get(ctx, client.ObjectKey{Namespace: s.probe.GetNamespace(), Name: name}, &pod); err != nil {
			return err
		}
		uids[was] = string(pod.UID)
	}
	if s.plan != nil {
		if err := s.restoreRun(ctx, c, uids); err != nil {
			return err
		}
	}
	probe := s.withNewTimes(s.probe, uids)
	merge(probe.Object, change)
	return c.store(probe)
}

// restoreRun creates the plan of the active run and its pods. The records of these are an annotation of the plan.
func (s *stored) restoreRun(ctx context.Context, c *cluster, uids map[string]string) error {
	plan := s.withNewTimes(s.plan, uids)
	if err := c.create(plan, ""); err != nil {
		return err
	}
	uids[string(s.plan.GetUID())] = string(plan.GetUID())
	manager, err := c.asManager()
	if err != nil {
		return err
	}
	for _, stored := range s.pods {
		pod := s.withNewTimes(stored, uids)
		status := pod.Object["status"]
		if err := createReleased(ctx, manager, pod); err != nil {
			return err
		}
		pod.Object["status"] = status
		if err := c.api.Status().Update(ctx, pod); err != nil {
			return err
		}
		uids[string(stored.GetUID())] = string(pod.GetUID())
	}
	annotations := map[string]any{"annotations": s.withNewTimes(s.plan, uids).GetAnnotations()}
	patch := client.RawPatch("application/merge-patch+json", []byte(mustJSON(map[string]any{"metadata": annotations})))
	return c.api.Patch(ctx, plan, patch)
}

// createReleased creates a pod with its scheduling gate, without which the admission policy refuses it, and releases
// it.
func createReleased(ctx context.Context, manager client.Client, pod *unstructured.Unstructured) error {
	gates := []any{map[string]any{"name": "tcpprobe.dev/recorded"}}
	if err := unstructured.SetNestedSlice(pod.Object, gates, "spec", "schedulingGates"); err != nil {
		return err
	}
	if err := manager.Create(ctx, pod); err != nil {
		return err
	}
	free := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"schedulingGates":null}}`))
	return manager.Patch(ctx, pod, free)
}

// merge applies a merge patch to an object.
func merge(into, patch map[string]any) {
	for name, value := range patch {
		inner, nested := value.(map[string]any)
		there, has := into[name].(map[string]any)
		if nested && !has {
			there = make(map[string]any)
			into[name] = there
		}
		if nested {
			merge(there, inner)
			continue
		}
		into[name] = value
	}
}
