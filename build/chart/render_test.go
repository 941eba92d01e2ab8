package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const chartFolder = "../../charts/tcpprobe"

// ownImage is the image where a test names none: there is no default.
const ownImage = "localhost/tcpprobe"

// values parses a file for "helm install --values".
func values(t *testing.T, text string) map[string]any {
	t.Helper()
	read := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	image, is := read["image"].(map[string]any)
	if !is {
		image = map[string]any{}
		read["image"] = image
	}
	if _, is := image["repository"]; !is {
		image["repository"] = ownImage
	}
	return read
}

// renderTexts renders each template, as "helm template --namespace NAMESPACE --values VALUES" does.
func renderTexts(t *testing.T, namespace, text string) (map[string]string, error) {
	t.Helper()
	chart, err := loader.Load(chartFolder)
	if err != nil {
		t.Fatal(err)
	}
	release := common.ReleaseOptions{Name: "tcpprobe", Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(chart, values(t, text), release, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, all)
}

// render has the objects that the chart installs, as lines.
func render(t *testing.T, namespace, text string) lines {
	t.Helper()
	texts, err := renderTexts(t, namespace, text)
	if err != nil {
		t.Fatal(err)
	}
	all := lines{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasSuffix(name, ".yaml") {
			maps.Copy(all, linesOf(t, texts[name]))
		}
	}
	return all
}

// kustomize has the objects that these kustomizations of config/ install together, as lines, with the named
// components.
func kustomize(t *testing.T, resources string, components ...string) lines {
	t.Helper()
	disk := filesys.MakeFsOnDisk()
	overlay := t.TempDir()
	text := "resources: [" + resources + "]\ncomponents: [" + strings.Join(components, ",") + "]\n"
	if err := disk.WriteFile(overlay+"/kustomization.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(overlay, os.DirFS("../../config")); err != nil { // kustomize takes no absolute paths
		t.Fatal(err)
	}
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, overlay)
	if err != nil {
		t.Fatal(err)
	}
	written, err := all.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return linesOf(t, strings.ReplaceAll(string(written), "IMAGE-NOT-SET", ownImage+":dev"))
}

func linesOf(t *testing.T, text string) lines {
	t.Helper()
	all := lines{}
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		if len(object) > 0 && !all.add(object) {
			t.Errorf("two objects are %s", nameOf(object))
		}
	}
}
