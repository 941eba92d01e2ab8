//go:build envtest

package envtest

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGeneratedFilesAreCurrent compares the committed files with what their markers generate now; go generate
// ./api/... brings them up to date.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	for _, g := range []struct{ file, generator, paths string }{
		{crdFile, "crd", "../../api/..."},
		{filepath.Join(config, "rbac", "role.yaml"), "rbac:roleName=tcpprobe-manager", "../../controllers/..."},
		{"../../api/v1alpha1/zz_generated.deepcopy.go", "object", "../../api/..."},
	} {
		t.Run(filepath.Base(g.file), func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "go", "tool", "controller-gen", g.generator,
				"paths="+g.paths, "output:stdout")
			out, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(out), string(readFile(t, g.file))); diff != "" {
				t.Errorf("%s is out of date (- markers, + file):\n%s", g.file, diff)
			}
		})
	}
}
