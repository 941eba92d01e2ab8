//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

const helmProgram = "bin/helm"

func helm(t *testing.T, arguments ...string) {
	t.Helper()
	command := exec.Command(helmProgram,
		append([]string{"--kubeconfig", cluster.Kubeconfig, "--namespace", managerNamespace}, arguments...)...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("helm %v: %v\n%s", arguments, err, output)
	}
	t.Logf("helm %v\n%s", arguments, output)
}

// previousChart is the chart of an earlier release, with another version and another image.
func previousChart(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "tcpprobe")
	if err := os.CopyFS(folder, os.DirFS("charts/tcpprobe")); err != nil {
		t.Fatal(err)
	}
	const description = "apiVersion: v2\nname: tcpprobe\ntype: application\nversion: 0.0.9\nappVersion: previous\n"
	if err := os.WriteFile(filepath.Join(folder, "Chart.yaml"), []byte(description), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range cluster.Nodes {
		onNode(t, n.Name, "ctr --namespace k8s.io images tag --force "+
			"localhost/tcpprobe:dev localhost/tcpprobe:previous")
	}
	return folder
}

// TestHelm: the chart is installed with no value but the image's name, upgraded in the middle of a run, and uninstalled
// in the middle of another. Each run is reported once. Only the CRD and the TCPProbes are left, and their namespace can
// be deleted.
func TestHelm(t *testing.T) {
	if err := script("go", "build", "-C", "build", "-o", "../"+helmProgram, "helm.sh/helm/v4/cmd/helm"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(expectRefusals())
	t.Cleanup(func() {
		_ = script(kubectl(), "delete", "crd", "tcpprobes.tcpprobe.dev", "--ignore-not-found")
		if err := install(); err != nil {
			t.Error(err)
		}
	})
	mustKubectl(t, "delete", "-k", "test/cluster/operator", "--timeout=100s")
	helm(t, "install", "tcpprobe", previousChart(t), "--set=image.repository=localhost/tcpprobe", "--create-namespace",
		"--wait", "--timeout=100s")
	t.Cleanup(func() {
		_ = exec.Command(helmProgram, "--kubeconfig", cluster.Kubeconfig, "--namespace", managerNamespace,
			"uninstall", "tcpprobe").Run()
	})

	s := newTenant(t)
	pods := watchPods(t)
	p := s.probe(t, slow)
	if image := waitForProber(t, p, "kn1").Spec.Containers[0].Image; image != "localhost/tcpprobe:previous" {
		t.Errorf("the prober's image is %s", image)
	}
	helm(t, "upgrade", "tcpprobe", "charts/tcpprobe", "--reuse-values", "--wait", "--timeout=100s")
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	expectOncePerNode(t, pods.of(p))
	eventually(t, func() string {
		for _, manager := range managers(t) {
			if strings.HasSuffix(manager.Spec.Containers[0].Image, ":previous") {
				return manager.Name + " of the previous chart has not ended"
			}
		}
		return ""
	})
	runAgain(t, p, "after the upgrade")
	if image := waitForProber(t, p, "kn1").Spec.Containers[0].Image; image != "localhost/tcpprobe:dev" {
		t.Errorf("the prober's image is %s after the upgrade", image)
	}
	helm(t, "uninstall", "tcpprobe", "--wait", "--timeout=100s")
	expectUninstalled(t)
	refresh(t, p) // the TCPProbe still exists
	mustKubectl(t, "delete", "namespace", s.namespace, managerNamespace, "--timeout=100s")
}

// expectUninstalled fails the test if an object with the product's name or label is left.
func expectUninstalled(t *testing.T) {
	t.Helper()
	eventually(t, func() string {
		kinds, err := exec.Command(kubectl(), "--kubeconfig", cluster.Kubeconfig, "api-resources",
			"--verbs=list", "-o", "name").Output()
		if err != nil {
			return err.Error()
		}
		var listed []string
		for kind := range strings.FieldsSeq(string(kinds)) {
			if !strings.HasPrefix(kind, "events") && !strings.HasSuffix(kind, "tcpprobe.dev") && kind != "componentstatuses" {
				listed = append(listed, kind)
			}
		}
		all, err := exec.Command(kubectl(), "--kubeconfig", cluster.Kubeconfig, "get", strings.Join(listed, ","),
			"--all-namespaces", "--no-headers", "-o",
			"custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,"+
				`PART:.metadata.labels.app\.kubernetes\.io/part-of`).Output()
		if err != nil {
			return err.Error()
		}
		for line := range strings.Lines(string(all)) {
			if strings.Contains(line, "tcpprobe") && !isKept(line) {
				return "left behind: " + line
			}
		}
		return ""
	})
}

// isKept reports whether an uninstallation keeps the object: the CRD, the namespace that Helm was told to create, and
// Kubernetes' own objects in every namespace.
func isKept(line string) bool {
	f := strings.Fields(line)
	switch kind, namespace, name := f[0], f[1], f[2]; { // the API server makes the APIService of a definition
	case kind == "CustomResourceDefinition" && name == "tcpprobes.tcpprobe.dev",
		kind == "APIService", kind == "Namespace" && name == managerNamespace:
		return true
	case strings.HasPrefix(name, "tcpprobe-test:"): // the test cluster's own
		return true
	default:
		return namespace == managerNamespace && (kind == "ServiceAccount" && name == "default" || name == "kube-root-ca.crt")
	}
}
