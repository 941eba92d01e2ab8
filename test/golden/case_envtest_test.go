//go:build envtest

package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// testCase is a file of testdata/cases: what happens to one TCPProbe. The first document of the file is this struct.
// The others are objects. Objects without a namespace get the case's own, which has the file's name.
type testCase struct {
	Sample string            `json:"sample"`    // of config/samples, instead of a TCPProbe among the objects
	Shop   bool              `json:"shop"`      // create testdata/cluster/shop.yaml: a Service web with three pods
	IP     string            `json:"clusterIP"` // of the shop's Service, if the documents contain it
	Whole  bool              `json:"whole"`     // record the probe pod's spec too
	Alone  bool              `json:"alone"`     // changes objects that other cases use
	Until  string            `json:"until"`     // see conditionMet
	Pods   map[string]string `json:"pods"`      // by node: a file of testdata/outcomes; "any" for all other nodes
	Steps  []step            `json:"steps"`     // what comes after

	name    string
	objects []*unstructured.Unstructured
	probe   *unstructured.Unstructured
}

// step is a change of the TCPProbe or of another object, and the condition to wait for then.
type step struct {
	Patch  map[string]any `json:"patch"`
	Object string         `json:"object"` // kind/name of the object to patch; "": the TCPProbe
	Until  string         `json:"until"`
	Pods   map[string]string
}

func readCases(t *testing.T, folder string) (all []*testCase) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		tc, err := readCase(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, tc)
	}
	return all
}

func readCase(file string) (*testCase, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	objects, err := documentsOf(text)
	if err != nil {
		return nil, err
	}
	head, err := yaml.Marshal(objects[0].Object)
	if err != nil {
		return nil, err
	}
	tc := &testCase{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
	if err := yaml.UnmarshalStrict(head, tc); err != nil {
		return nil, err
	}
	objects = objects[1:]
	if tc.Sample != "" {
		sample, err := os.ReadFile(filepath.Join(root, "config", "samples", tc.Sample))
		if err != nil {
			return nil, err
		}
		more, err := documentsOf(sample)
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	for _, o := range objects {
		if o.GetKind() == "TCPProbe" {
			tc.probe = o
		} else {
			tc.objects = append(tc.objects, o)
		}
	}
	if tc.probe == nil {
		return nil, fmt.Errorf("no TCPProbe")
	}
	if tc.probe.GetNamespace() == "" {
		tc.probe.SetNamespace(tc.name)
	}
	return tc, nil
}
