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

// scene is a file of testdata/cases: what becomes of one TCPProbe. Its first document is this, the others are
// objects. Those without a namespace are in the scene's own, which has the file's name.
type scene struct {
	Sample string            `json:"sample"`    // of config/samples, instead of a TCPProbe among the objects
	Shop   bool              `json:"shop"`      // with testdata/cluster/shop.yaml: a Service web with three pods
	IP     string            `json:"clusterIP"` // of the shop's Service, where it is part of what is compared
	Whole  bool              `json:"whole"`     // with the probe pod's spec in the document
	Alone  bool              `json:"alone"`     // changes what other scenes see
	Until  string            `json:"until"`     // see met
	Pods   map[string]string `json:"pods"`      // files of testdata/fates by node; "any" for all others
	Steps  []step            `json:"steps"`     // what comes after

	name    string
	objects []*unstructured.Unstructured
	probe   *unstructured.Unstructured
}

// step is a change of the TCPProbe or of another object, and what comes of it.
type step struct {
	Patch  map[string]any `json:"patch"`
	Object string         `json:"object"` // kind/name of another object of the scene that is patched; none: the TCPProbe
	Until  string         `json:"until"`
	Pods   map[string]string
}

func readScenes(t *testing.T, folder string) (all []*scene) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		s, err := readScene(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, s)
	}
	return all
}

func readScene(file string) (*scene, error) {
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
	s := &scene{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
	if err := yaml.UnmarshalStrict(head, s); err != nil {
		return nil, err
	}
	objects = objects[1:]
	if s.Sample != "" {
		sample, err := os.ReadFile(filepath.Join(root, "config", "samples", s.Sample))
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
			s.probe = o
		} else {
			s.objects = append(s.objects, o)
		}
	}
	if s.probe == nil {
		return nil, fmt.Errorf("no TCPProbe")
	}
	if s.probe.GetNamespace() == "" {
		s.probe.SetNamespace(s.name)
	}
	return s, nil
}
