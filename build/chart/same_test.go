package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
)

// commonLines are the lines that chart and kustomization must have in common. Helm creates the manager's Namespace,
// and an annotation tells it to keep the CRD on uninstall.
func commonLines(l lines) lines {
	l = maps.Clone(l)
	maps.DeleteFunc(l, func(path, _ string) bool {
		return strings.HasPrefix(path, "Namespace tcpprobe-system ") ||
			strings.HasPrefix(path, "CustomResourceDefinition ") &&
				strings.HasSuffix(path, " metadata.annotations.helm.sh/resource-policy")
	})
	return l
}

func TestChartInstallsWhatKustomizeInstalls(t *testing.T) {
	for _, c := range []struct {
		name, values, resources string
		components              []string
	}{
		{"by default", "", "default", nil},
		{"with monitoring", "{monitoring: {enabled: true}, metricsCertificateSecret: manager-metrics-certificate}",
			"default, monitoring", []string{"components/metrics-certificate"}},
		{"with editors", "editors: {enabled: true}", "default", []string{"components/editors"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			chart := commonLines(render(t, "tcpprobe-system", c.values))
			manifests := commonLines(kustomize(t, c.resources, c.components...))
			if len(manifests) < 100 {
				t.Fatalf("config/default has no more than %d lines", len(manifests))
			}
			for _, change := range manifests.changes(chart) {
				t.Errorf("config (-) and chart (+) differ: %s", change)
			}
		})
	}
}

// TestComparisonFails changes, removes and adds a line, an object and an empty map. The comparison must find each.
func TestComparisonFails(t *testing.T) {
	manifests := commonLines(kustomize(t, "default"))
	chart := maps.Clone(manifests)
	chart["Deployment tcpprobe-system/manager spec.replicas"] = "3"
	chart["Deployment tcpprobe-system/manager spec.template.spec.containers[0].securityContext.privileged"] = "true"
	delete(chart, "ConfigMap tcpprobe-system/probe-pods data.hostNetwork")
	chart.add(map[string]any{"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"name": "new"}, "data": map[string]any{}})
	want := []string{
		`+ Deployment tcpprobe-system/manager spec.replicas: 3`,
		`+ Deployment tcpprobe-system/manager spec.template.spec.containers[0].securityContext.privileged: true`,
		`+ Secret new apiVersion: "v1"`,
		`+ Secret new data: {}`,
		`+ Secret new kind: "Secret"`,
		`+ Secret new metadata.name: "new"`,
		`- ConfigMap tcpprobe-system/probe-pods data.hostNetwork: "false"`,
		`- Deployment tcpprobe-system/manager spec.replicas: 2`,
	}
	if diff := cmp.Diff(want, manifests.changes(chart)); diff != "" {
		t.Error(diff)
	}
}

// TestOtherNamespaces: with other namespaces the names of config/ appear in no flag, expression or message. All else
// is the same.
func TestOtherNamespaces(t *testing.T) {
	rename := strings.NewReplacer("tcpprobe-system", "tools", "tcpprobe-probes", "tools-probes")
	want := lines{}
	for path, value := range render(t, "tcpprobe-system", "") {
		want[rename.Replace(path)] = rename.Replace(value)
	}
	for _, change := range want.changes(render(t, "tools", "probeNamespace: tools-probes")) {
		t.Error(change)
	}
}

func TestLint(t *testing.T) {
	for _, m := range lint.RunAll(chartFolder, nil, "tcpprobe-system").Messages {
		if m.Severity >= support.WarningSev {
			t.Error(m)
		}
	}
}
