package build

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// vulnerability is one that a database may list: in a function that the guard calls, or in one that nothing calls.
const vulnerability = `{"schema_version": "1.3.1", "id": "GO-2026-9999", "modified": "2026-01-01T00:00:00Z",
"published": "2026-01-01T00:00:00Z", "summary": "made up", "details": "made up",
"affected": [{"package": {"name": "github.com/cilium/ebpf", "ecosystem": "Go"},
 "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
 "ecosystem_specific": {"imports": [{"path": "github.com/cilium/ebpf", "symbols": ["FUNCTION"]}]}}],
"database_specific": {"url": "https://pkg.go.dev/vuln/GO-2026-9999"}}`

// TestVulnerabilityIsFoundWhereItIsReached: also that nothing is claimed where no database could be read.
func TestVulnerabilityIsFoundWhereItIsReached(t *testing.T) {
	for _, c := range []struct {
		name, function string
		status         int
		says           string
	}{
		{"reached", "LoadCollectionSpecFromReader", 3, "GO-2026-9999"},
		{"not reached", "NoSuchFunction", 0, "No vulnerabilities found"},
		{"no database", "", 1, "nothing was checked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "./vulncheck.sh", "./probe/guard")
			command.Env = append(os.Environ(), "GOVULNDB="+database(t, c.function))
			output, err := command.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if got := command.ProcessState.ExitCode(); got != c.status || !strings.Contains(string(output), c.says) {
				t.Errorf("exit status %d, want %d and %q:\n%s", got, c.status, c.says, output)
			}
		})
	}
}

// database is the address of one with the vulnerability in the function, or of one that cannot be reached.
func database(t *testing.T, function string) string {
	t.Helper()
	if function == "" {
		return "http://127.0.0.1:1"
	}
	folder := t.TempDir()
	for name, content := range map[string]string{
		"index/db.json": `{"modified": "2026-01-01T00:00:00Z"}`,
		"index/modules.json": `[{"path": "github.com/cilium/ebpf",
			"vulns": [{"id": "GO-2026-9999", "modified": "2026-01-01T00:00:00Z"}]}]`,
		"ID/GO-2026-9999.json": strings.ReplaceAll(vulnerability, "FUNCTION", function),
	} {
		file := filepath.Join(folder, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + folder
}
