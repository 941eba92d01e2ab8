package build

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const product = "github.com/tcpprobe/tcpprobe/"

// imports are imports of a file, and whether the linter has to refuse them.
var imports = []struct {
	file, imported string
	refused        bool
}{
	{"probe/report/x.go", product + "api/v1alpha1", true},
	{"probe/report/x.go", product + "controllers", true},
	{"probe/report/x.go", product + "lab", true},
	{"probe/report/x.go", "k8s.io/api", true},
	{"probe/report/x.go", "sigs.k8s.io/yaml", true},
	{"probe/report/x.go", product + "probe/plan", false},
	{"probe/report/x_test.go", product + "lab", false},
	{"probe/report/x.go", "github.com/google/gopacket", true},
	{"probe/report/x_test.go", "github.com/google/gopacket", true},
	{"probe/segment/x.go", "github.com/google/gopacket", false},
	{"probe/rule/x.go", product + "probe/variant", false},
	{"probe/rule/x.go", product + "probe/segment", true},
	{"probe/variant/x.go", product + "probe/segment", true},
	{"probe/reason/x.go", product + "probe/report", true},
	{"lab/x.go", product + "probe/segment", false},
	{"lab/x.go", product + "probe/report", true},
	{"controllers/x.go", product + "api/v1alpha1", false},
	{"controllers/x.go", product + "probe/plan", false},
	{"controllers/x.go", product + "probe/rule", false},
	{"controllers/x.go", product + "probe/variant", false},
	{"controllers/x.go", product + "probe/segment", true},
	{"controllers/x.go", product + "lab", true},
	{"api/v1alpha1/x.go", product + "probe/report", true},
	{"api/v1alpha1/x.go", "k8s.io/api", false},
	{"cmd/prober/x.go", "k8s.io/api", true},
	{"cmd/prober/x.go", product + "probe/report", false},
	{"probe/scenario/x.go", product + "probe/scenario/handshake", false},
	{"probe/scenario/handshake/x.go", product + "probe/scenario/flow", false},
	{"probe/scenario/handshake/x.go", product + "probe/scenario", true},
	{"probe/scenario/handshake/x.go", product + "probe/scenario/acceptqueue", true},
	{"probe/scenario/flow/x.go", product + "probe/scenario", true},
	{"probe/scenario/flow/x.go", product + "probe/scenario/handshake", true},
	{"probe/scenario/flow/x.go", product + "probe/conn/conntest", true},
	{"probe/scenario/flow/x.go", product + "probe/scenario/flow/flowtest", true},
	{"probe/scenario/handshake/x_test.go", product + "probe/scenario/flow/flowtest", false},
	{"probe/report/x.go", product + "probe/scenario/handshake", true},
	{"probe/report/x.go", product + "probe/scenario", false},
	{"cmd/prober/x.go", product + "probe/conn/conntest", true},
	{"probe/report/x.go", product + "internal/cli", true},
	{"lab/x.go", product + "lab/fault", false},
	{"lab/x.go", product + "lab/labcmd", true},
	{"lab/x.go", product + "lab/labtest", true},
	{"lab/x.go", product + "probe/clsact", false},
	{"lab/x.go", product + "probe/run", true},
	{"lab/x.go", "k8s.io/api", true},
	{"lab/fault/x.go", product + "lab", true},
	{"lab/fault/x.go", product + "probe/run", true},
	{"lab/labcmd/x.go", product + "lab", false},
	{"lab/labcmd/x.go", product + "probe/run", false},
	{"lab/labcmd/x.go", product + "internal/cli", false},
	{"lab/labcmd/x.go", product + "controllers", true},
	{"lab/labcmd/x.go", product + "api/v1alpha1", true},
	{"lab/labcmd/x.go", "sigs.k8s.io/yaml", true},
	{"internal/cli/x.go", product + "probe/run", false},
	{"internal/cli/x.go", product + "lab", true},
	{"internal/cli/x.go", product + "controllers", true},
	{"internal/cli/x.go", "k8s.io/api", true},
	{"internal/cli/x.go", product + "probe/scenario", false},
	{"internal/cli/x.go", product + "probe/scenario/handshake", true},
	{"lab/labcmd/x.go", product + "probe/scenario/handshake", true},
	{"lab/labcmd/x.go", product + "probe/conn/conntest", true},
	{"cmd/manager/x.go", product + "controllers/reconciler", false},
	{"cmd/manager/x.go", product + "api/v1alpha1", false},
	{"cmd/manager/x.go", product + "lab", true},
	{"cmd/manager/x.go", product + "probe/segment", true},
	{"probe/clsact/x.go", product + "probe/guard", true},
	{"probe/clsact/x.go", product + "lab", true},
	{"probe/report/x.go", product + "cmd/prober", true},
	{"probe/payload/x.go", product + "probe/segment", true},
	{"lab/x.go", "sigs.k8s.io/yaml", true},
	{"lab/labcmd/x.go", "k8s.io/api", true},
	{"internal/cli/x.go", "sigs.k8s.io/yaml", true},
	{"internal/cli/x.go", product + "probe/conn/conntest", true},
	{"cmd/prober/x.go", "sigs.k8s.io/yaml", true},
	{"bench/x.go", product + "probe/scenario/handshake", true},
	{"bench/x.go", product + "probe/conn/conntest", true},
	{"controllers/apiread/x.go", product + "api/v1alpha1", true},
	{"controllers/apiread/x.go", product + "controllers/internal/text", true},
}

// TestBoundaries runs the linter with the product's rules over a small module that has the product's packages, once for
// each file.
func TestBoundaries(t *testing.T) {
	linter := buildLinter(t)
	files := map[string]map[string]bool{}
	for _, i := range imports {
		if files[i.file] == nil {
			files[i.file] = map[string]bool{}
		}
		files[i.file][i.imported] = i.refused
	}
	for file, refused := range files {
		t.Run(file, func(t *testing.T) {
			module := newModule(t)
			all := slices.Sorted(maps.Keys(refused))
			write(t, filepath.Join(module, file), importing(filepath.Base(filepath.Dir(file)), all...))
			output, err := lint(t, linter, module)
			bad := slices.Contains(slices.Collect(maps.Values(refused)), true)
			if bad != (err != nil) {
				t.Errorf("the linter's error: %v", err)
			}
			for imported, want := range refused {
				if refuses(output, imported) != want {
					t.Errorf("%s: refused %t, want %t\n%s", imported, !want, want, output)
				}
			}
		})
	}
}

// controllerArrows has, for each package of controllers, the others that it may import. All may import internal/text.
var controllerArrows = map[string][]string{
	"target":      {"apiread"},
	"runplan":     {"target"},
	"limits":      {"runplan", "target"},
	"probepod":    {"limits", "runplan"},
	"findings":    {"probepod", "runplan", "target"},
	"schedule":    nil,
	"conditions":  {"findings", "probepod", "schedule", "target"},
	"gc":          {"probepod", "runplan"},
	"metrics":     {"gc", "limits", "probepod", "runplan"},
	"targetwatch": {"target"},
	"reconciler": {"conditions", "findings", "gc", "limits", "metrics", "probepod", "runplan", "schedule", "target",
		"targetwatch", "apiread"},
}

// TestArrowsOfControllers has each package of controllers import every other one, in a file for each. The linter has
// to refuse exactly the imports that controllerArrows does not have.
func TestArrowsOfControllers(t *testing.T) {
	linter := buildLinter(t)
	others := append(slices.Sorted(maps.Keys(controllerArrows)), "apiread", "internal/controllertest", "internal/text")
	for from, arrows := range controllerArrows {
		t.Run(from, func(t *testing.T) {
			module := newModule(t)
			for _, to := range others {
				if to != from {
					file := filepath.Join(module, "controllers", from, filepath.Base(to)+".go")
					write(t, file, importing(from, product+"controllers/"+to))
				}
			}
			output, _ := lint(t, linter, module)
			for _, to := range others {
				allowed := to == from || to == "internal/text" || slices.Contains(arrows, to)
				if refuses(output, product+"controllers/"+to) == allowed {
					t.Errorf("%s -> %s: allowed %t\n%s", from, to, !allowed, output)
				}
			}
		})
	}
	t.Run("internal/text", func(t *testing.T) {
		module := newModule(t)
		write(t, filepath.Join(module, "controllers", "internal", "text", "x.go"),
			importing("text", product+"controllers/target"))
		if output, _ := lint(t, linter, module); !refuses(output, product+"controllers/target") {
			t.Errorf("text -> target is allowed\n%s", output)
		}
	})
}

func importing(pkg string, paths ...string) string {
	text := "package " + pkg + "\n"
	for _, path := range paths {
		text += "import _ \"" + path + "\"\n"
	}
	return text
}

func refuses(output, path string) bool { return strings.Contains(output, "'"+path+"' is not allowed") }

func lint(t *testing.T, linter, module string) (output string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), linter, "./...")
	command.Dir = module
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	text, err := command.CombinedOutput()
	return string(text), err
}

func buildLinter(t *testing.T) string {
	linter := filepath.Join(t.TempDir(), "depguard")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", linter,
		"github.com/OpenPeeDeeP/depguard/v2/cmd/depguard")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the linter: %v\n%s", err, output)
	}
	return linter
}

// newModule is a module with an empty package for each name in the rules, and with empty modules in place of the
// libraries.
func newModule(t *testing.T) string {
	module := t.TempDir()
	rules, err := os.ReadFile("../.depguard.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(module, ".depguard.yaml"), string(rules))
	manifest := "module github.com/tcpprobe/tcpprobe\ngo 1.26.0\n"
	for _, library := range []string{"github.com/google/gopacket", "k8s.io/api", "sigs.k8s.io/yaml"} {
		folder := filepath.Join(module, "libraries", filepath.Base(library))
		write(t, filepath.Join(folder, "go.mod"), "module "+library+"\n")
		write(t, filepath.Join(folder, "empty.go"), "package "+filepath.Base(library)+"\n")
		manifest += "require " + library + " v0.0.0\nreplace " + library + " => ./libraries/" + filepath.Base(library) + "\n"
	}
	write(t, filepath.Join(module, "go.mod"), manifest)
	names := []string{
		"api/v1alpha1", "controllers", "controllers/apiread", "controllers/internal/controllertest",
		"controllers/internal/text",
		"lab", "probe/plan", "probe/report", "probe/segment", "cmd/prober",
		"probe/conn/conntest", "probe/scenario", "probe/scenario/acceptqueue", "probe/scenario/flow",
		"probe/scenario/flow/flowtest", "probe/scenario/handshake",
		"internal/cli", "lab/fault", "lab/labcmd", "lab/labtest", "probe/clsact", "probe/guard", "probe/rule",
		"probe/run", "probe/variant",
	}
	for name := range controllerArrows {
		names = append(names, "controllers/"+name)
	}
	for _, name := range names {
		write(t, filepath.Join(module, name, "empty.go"), "package "+filepath.Base(name)+"\n")
	}
	return module
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
