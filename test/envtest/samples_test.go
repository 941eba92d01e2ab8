//go:build envtest

package envtest

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func sample(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict(readFile(t, filepath.Join(config, "samples", name)), &o.Object); err != nil {
		t.Fatal(err)
	}
	o.SetNamespace("default")
	return o
}

func TestSamplesAreAccepted(t *testing.T) {
	for _, name := range []string{
		"smallest.yaml", "full.yaml", "variants.yaml", "close.yaml", "queue.yaml",
		"other-namespace.yaml", "address.yaml", "cluster-ip.yaml", "host-network.yaml",
	} {
		if err := create(t.Context(), sample(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	kubectl(t, "apply", "--dry-run=server", "-k", filepath.Join(config, "samples"))
}

// notShown are fields of the spec that full.yaml does not have: this version refuses them, or they exclude others that
// it has.
var notShown = map[string]bool{
	"target.address": true, "target.service.namespace": true, "run.intervalSeconds": true, "health": true,
	"scenarios[].finReorder.trigger.onAccept": true, "scenarios[].finReorder.trigger.send": true,
	"sources.selector.matchLabels": true, "sources.selector.matchExpressions[].values": true,
}

// TestFullSampleIsFull finds fields of the spec that the full sample does not show.
func TestFullSampleIsFull(t *testing.T) {
	crd := readCRD(t)
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	requireMembers(t, spec, "", []any{sample(t, "full.yaml").Object["spec"]})
}

// TestOtherSamplesShowTheRest: the full sample names those that have what it cannot have.
func TestOtherSamplesShowTheRest(t *testing.T) {
	for file, paths := range map[string][][]string{
		"address.yaml":         {{"target", "address"}},
		"other-namespace.yaml": {{"target", "service", "namespace"}},
		"interval.yaml":        {{"run", "intervalSeconds"}, {"health"}},
	} {
		if text := readFile(t, filepath.Join(config, "samples", "full.yaml")); !strings.Contains(string(text), file) {
			t.Errorf("full.yaml does not name %s", file)
		}
		for _, path := range paths {
			values := []any{sample(t, file).Object["spec"]}
			for _, name := range path {
				values = members(values, name)
			}
			if len(values) == 0 {
				t.Errorf("%s does not show %v", file, path)
			}
		}
	}
}

// requireMembers reports every property of s that none of values has.
func requireMembers(t *testing.T, s apiextensions.JSONSchemaProps, path string, values []any) {
	if s.Items != nil {
		requireMembers(t, *s.Items.Schema, path+"[]", inner(values))
		return
	}
	for name, member := range s.Properties {
		at := name
		if path != "" {
			at = path + "." + name
		}
		if notShown[at] {
			continue
		}
		if have := members(values, name); len(have) > 0 {
			requireMembers(t, member, at, have)
		} else {
			t.Errorf("config/samples/full.yaml does not show spec.%s", at)
		}
	}
}

func members(values []any, name string) (have []any) {
	for _, v := range values {
		if object, ok := v.(map[string]any); ok && object[name] != nil {
			have = append(have, object[name])
		}
	}
	return have
}

func inner(lists []any) (items []any) {
	for _, l := range lists {
		if list, ok := l.([]any); ok {
			items = append(items, list...)
		}
	}
	return items
}
