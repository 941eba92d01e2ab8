package main

import (
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// TestBadValuesAreRefused: the refusal names the value.
func TestBadValuesAreRefused(t *testing.T) {
	for _, c := range []struct{ values, named string }{
		{"replica: 3", "replica"},
		{"replicas: two", "/replicas"},
		{"replicas: -1", "/replicas"},
		{"image: {tags: v1}", "tags"},
		{"image: {tag: 1.10}", "/image/tag"},
		{"image: {digest: sha256:12}", "/image/digest"},
		{"image: {repository: 'a b'}", "/image/repository"},
		{"image: {repository: ''}", "--set image.repository=REGISTRY/tcpprobe --set image.tag=TAG"},
		{"image: {pullPolicy: always}", "/image/pullPolicy"},
		{"imagePullSecrets: [registry]", "/imagePullSecrets/0"},
		{"probeNamespace: Probes", "/probeNamespace"},
		{"probeNamespace: tcpprobe-system", "probeNamespace is tcpprobe-system, the namespace of this release"},
		{"crds: {install: false}", "install"},
		{"editors: true", "editors"},
		{"hostNetwork: 'true'", "/hostNetwork"},
		{"addressCeiling: 10.0.0.0/8", "/addressCeiling"},
		{"addressCeiling: [10.0.0.1]", "/addressCeiling/0"},
		{"prober: {tolerations: [{operator: Exists, effect: NoExecute}]}", "/prober/tolerations/0/effect"},
		{"prober: {tolerations: [{operator: Exists}]}", "/prober/tolerations/0"},
		{"tolerations: [{operator: Exist}]", "/tolerations/0/operator"},
		{"resources: {limit: {memory: 1Gi}}", "limit"},
		{"apiServerPorts: []", "/apiServerPorts"},
		{"apiServerPorts: [https]", "/apiServerPorts/0"},
		{"metricsCertificateSecret: Metrics_TLS", "/metricsCertificateSecret"},
		{"metricsCertificateIssuer: {name: ca, kind: Role}", "/metricsCertificateIssuer/kind"},
		{"monitoring: {enabled: true}", "monitoring.enabled needs a certificate that Prometheus can verify"},
		{"logLevel: verbose", "/logLevel"},
	} {
		t.Run(c.values, func(t *testing.T) {
			if _, err := renderTexts(t, "tcpprobe-system", c.values); err == nil || !strings.Contains(err.Error(), c.named) {
				t.Errorf("want a refusal that names %q: %v", c.named, err)
			}
		})
	}
}

const account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\n  namespace: tcpprobe-system\n"

// TestGeneratorRefuses: the generator refuses places that do not fit config/.
func TestGeneratorRefuses(t *testing.T) {
	for _, c := range []struct {
		name, object, refusal string
		place                 place
	}{
		{"no such object", account, "no such object", place{kind: "Service", path: []string{"spec"}}},
		{"nothing to replace", account, "nothing is there to be replaced",
			place{kind: "ServiceAccount", path: []string{"secrets"}, value: "x"}},
		{"a field to be hidden", account, "would hide it",
			place{kind: "ServiceAccount", path: []string{"metadata", "name"}, value: "x", onlyIf: "y"}},
		{"no list", account, "no list",
			place{kind: "ServiceAccount", path: []string{"secrets", "-"}, value: "x", onlyIf: "y"}},
		{"a longer name", account + "  labels: {a: tcpprobe-system-old}\n", "tcpprobe-system-old contains the namespace",
			place{kind: "ServiceAccount", path: []string{"metadata", "name"}, value: "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := files([]*yaml.RNode{yaml.MustParse(c.object)}, []place{c.place})
			if err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("want a refusal that says %q: %v", c.refusal, err)
			}
		})
	}
}

// TestBracesOfTheSourceStay: braces in config/ are no templates of the chart. They are escaped.
func TestBracesOfTheSourceStay(t *testing.T) {
	object := yaml.MustParse(account + "  annotations: {format: '{{ .Status }}'}\n")
	text, err := template(object, nil)
	if err != nil || !strings.Contains(text, `'{{ "{{" }} .Status }}'`) {
		t.Errorf("%v, %s", err, text)
	}
}
