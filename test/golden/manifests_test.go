// In the unit stage, and with make golden, which has both tags; not once more in the stages net and envtest.

//go:build (net && envtest) || (!net && !envtest)

package golden

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tool runs a tool whose version build/go.mod pins.
func tool(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", append([]string{"tool", "-modfile=build/go.mod"}, arguments...)...)
	command.Dir, command.Env = root, os.Environ()
	out := execute(t, command)
	if out.status != 0 {
		t.Fatalf("%v: %s", arguments, out)
	}
	return out.stdout
}

// TestManifests records the output of kustomize for each folder of config.
func TestManifests(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"default", "crd", "rbac", "manager", "monitoring", "probe-namespace", "samples"} {
		compare(t, "manifests/"+folder+".yaml", tool(t, "kustomize", "build", "config/"+folder))
	}
	requireNoStaleFiles(t, "manifests")
}

// TestChart records the output of helm for each file of values.
func TestChart(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(testdata, "values", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no values", err)
	}
	for _, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "chart/"+filepath.Base(file), tool(t, "helm", "template", "tcpprobe", "charts/tcpprobe",
			"--namespace", "tcpprobe-system", "--values", path))
	}
	compare(t, "chart/values.yaml", tool(t, "helm", "show", "values", "charts/tcpprobe"))
	requireNoStaleFiles(t, "chart")
}
