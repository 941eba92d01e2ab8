package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrometheusVerifiesTheManagers: by the authority of the Secret that the managers serve with, and for the name of
// the Service that leads to them, in whatever namespace.
func TestPrometheusVerifiesTheManagers(t *testing.T) {
	const given = "{monitoring: {enabled: true}, metricsCertificateSecret: metrics, probeNamespace: tools-probes}"
	installed := render(t, "tools", given)
	monitor := "ServiceMonitor tools/tcpprobe-manager spec.endpoints[0].tlsConfig."
	for path, want := range map[string]string{
		monitor + "ca.secret.name": `"metrics"`,
		monitor + "ca.secret.key":  `"ca.crt"`,
		monitor + "serverName":     `"manager-metrics.tools.svc"`,
		"Deployment tools/manager spec.template.spec.volumes[0].secret.secretName": `"metrics"`,
		"Service tools/manager-metrics kind":                                       `"Service"`,
	} {
		if installed[path] != want {
			t.Errorf("%s: %s, want %s", path, installed[path], want)
		}
	}
}

// TestNothingSkipsVerification looks at every file that is installed.
func TestNothingSkipsVerification(t *testing.T) {
	for _, folder := range []string{"../../config", chartFolder} {
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(strings.ToLower(string(text)), "skipverify") {
				t.Errorf("%s does not verify a certificate", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
