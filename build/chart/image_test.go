package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// TestNoImageByDefault: the chart asks for an image, and what the manifests have instead of one can be pulled from
// nowhere, because it is no reference. So nobody who comes to own a name gets his image run.
func TestNoImageByDefault(t *testing.T) {
	chart, err := loader.Load(chartFolder)
	if err != nil {
		t.Fatal(err)
	}
	if image := chart.Values["image"].(map[string]any); image["repository"] != "" {
		t.Errorf("the chart's default image is %v", image)
	}
	for _, file := range []string{"manager/deployment.yaml", "default/kustomization.yaml"} {
		text, err := os.ReadFile("../../config/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			image, is := strings.CutPrefix(strings.TrimSpace(line), "image: ")
			image, _, _ = strings.Cut(image, " ")
			if _, err := name.ParseReference(image); is && err == nil {
				t.Errorf("%s: %s can be pulled", file, image)
			}
		}
	}
	if _, err := name.ParseReference(ownImage + ":dev"); err != nil {
		t.Errorf("the test takes nothing for a reference: %v", err)
	}
}
