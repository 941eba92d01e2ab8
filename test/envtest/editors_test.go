//go:build envtest

package envtest

import (
	"os"
	"path/filepath"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

const (
	aggregateToEdit  = "rbac.authorization.k8s.io/aggregate-to-edit"
	aggregateToAdmin = "rbac.authorization.k8s.io/aggregate-to-admin"
)

// editorsOverlay is a folder with the kustomization of an administrator who lets editors of a namespace write
// TCPProbes.
func editorsOverlay(t *testing.T) string {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(config)
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(folder, here)
	if err != nil {
		t.Fatal(err)
	}
	text := "resources: [" + up + "/../test/cluster/operator]\ncomponents: [" + up + "/components/editors]\n"
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestEditorsProbeOnlyWhereTheAdministratorSaysSo(t *testing.T) {
	install(t)
	role := get(t, "", "tcpprobe-editor", &rbacv1.ClusterRole{})
	if len(role.Labels[aggregateToEdit]+role.Labels[aggregateToAdmin]) > 0 {
		t.Errorf("by default editors get it: %v", role.Labels)
	}
	kubectl(t, "apply", "-k", editorsOverlay(t))
	defer kubectl(t, "apply", "-k", operator)
	role = get(t, "", "tcpprobe-editor", &rbacv1.ClusterRole{})
	if role.Labels[aggregateToEdit] != "true" || role.Labels[aggregateToAdmin] != "true" {
		t.Errorf("with the component editors do not get it: %v", role.Labels)
	}
}
