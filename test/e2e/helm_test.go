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

// previousChart is the chart as a release before this one: of another version, and with another image.
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
			"tcpprobe.dev/tcpprobe:dev tcpprobe.dev/tcpprobe:previous")
	}
	return folder
}

// TestHelm: installed with default values, upgraded in the middle of a run, and uninstalled in the middle of another.
// The runs are reported once, and nothing stays but the definition and the TCPProbes, whose namespace can go.
func TestHelm(t *testing.T) {
	if err := script("go", "build", "-C", "build", "-o", "../"+helmProgram, "helm.sh/helm/v4/cmd/helm"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(excuse())
	t.Cleanup(func() {
		_ = script(kubectl(), "delete", "crd", "tcpprobes.tcpprobe.dev", "--ignore-not-found")
		if err := install(); err != nil {
			t.Error(err)
		}
	})
	mustKubectl(t, "delete", "-k", "config/default", "--timeout=100s")
	helm(t, "install", "tcpprobe", previousChart(t), "--create-namespace", "--wait", "--timeout=100s")
	t.Cleanup(func() {
		_ = exec.Command(helmProgram, "--kubeconfig", cluster.Kubeconfig, "--namespace", managerNamespace,
			"uninstall", "tcpprobe").Run()
	})

	s := openShop(t)
	pods := watchPods(t)
	p := s.probe(t, slowly)
	if image := running(t, p, "kn1").Spec.Containers[0].Image; image != "tcpprobe.dev/tcpprobe:previous" {
		t.Errorf("the prober's image is %s", image)
	}
	helm(t, "upgrade", "tcpprobe", "charts/tcpprobe", "--wait", "--timeout=100s")
	ended(t, p, 1)
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
	again(t, p, "after the upgrade")
	if image := running(t, p, "kn1").Spec.Containers[0].Image; image != "tcpprobe.dev/tcpprobe:dev" {
		t.Errorf("the prober's image is %s after the upgrade", image)
	}
	helm(t, "uninstall", "tcpprobe", "--wait", "--timeout=100s")
	expectUninstalled(t)
	refresh(t, p) // the TCPProbe is still there
	mustKubectl(t, "delete", "namespace", s.namespace, managerNamespace, "--timeout=100s")
}

// expectUninstalled looks for everything that bears the product's name or label.
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
			if strings.Contains(line, "tcpprobe") && !stays(line) {
				return "left behind: " + line
			}
		}
		return ""
	})
}

// stays: the definition, the namespace that Helm was told to create, and what Kubernetes itself has in every namespace.
func stays(line string) bool {
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
