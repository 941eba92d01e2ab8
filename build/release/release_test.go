package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdxlib"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

const version = "1.2.3-rc.1"

// written is a release of the chart and of one program, this test's own.
func written(t *testing.T, at time.Time) (folder string) {
	t.Helper()
	folder = t.TempDir()
	r := release{version: version, time: at, chart: "../../charts/tcpprobe", output: filepath.Join(folder, "out"),
		programs: filepath.Join(folder, "programs")}
	platform := filepath.Join(r.programs, "linux-arm64")
	for _, f := range []string{platform, r.output} {
		must(t, os.MkdirAll(f, 0o755))
	}
	own, err := os.Executable()
	must(t, err)
	must(t, os.Symlink(own, filepath.Join(platform, "prober")))
	must(t, r.write())
	return r.output
}

var spring = time.Date(2026, time.April, 1, 12, 0, 0, 0, time.UTC)

func TestSameInputGivesSameBytes(t *testing.T) {
	first := read(t, written(t, spring))
	if second := read(t, written(t, spring)); !slices.Equal(first, second) {
		t.Errorf("%q and %q", first, second)
	}
	if other := read(t, written(t, spring.Add(time.Second))); slices.Equal(first, other) {
		t.Error("another time changed nothing: the comparison compares nothing")
	}
}

// read has the lines of SHA256SUMS.
func read(t *testing.T, folder string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, sumsFile))
	must(t, err)
	return slices.Collect(strings.Lines(string(content)))
}

func TestChecksumsAreThoseOfAllFiles(t *testing.T) {
	folder := written(t, spring)
	check := func() error {
		command := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", sumsFile)
		command.Dir = folder
		return command.Run()
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	if lines := read(t, folder); len(lines) != 2 {
		t.Errorf("%q, want the chart and the bill of materials", lines)
	}
	must(t, os.WriteFile(filepath.Join(folder, "tcpprobe-"+version+".tgz"), []byte("another"), 0o600))
	if check() == nil {
		t.Error("another chart has the same checksum")
	}
}

// TestPackedChartIsTheChart: Helm loads it, in the version of the release, with every file of the folder.
func TestPackedChartIsTheChart(t *testing.T) {
	packed, err := loader.Load(filepath.Join(written(t, spring), "tcpprobe-"+version+".tgz"))
	must(t, err)
	folder, err := loader.Load("../../charts/tcpprobe")
	must(t, err)
	if packed.Metadata.Version != version || packed.AppVersion() != version {
		t.Errorf("version %s, app %s", packed.Metadata.Version, packed.AppVersion())
	}
	if len(packed.Raw) != len(folder.Raw) {
		t.Errorf("%d files, want %d", len(packed.Raw), len(folder.Raw))
	}
	for _, f := range folder.Raw {
		same := slices.ContainsFunc(packed.Raw, func(p *file) bool { return p.Name == f.Name && bytes.Equal(p.Data, f.Data) })
		if !same && f.Name != "Chart.yaml" {
			t.Errorf("%s is missing or another", f.Name)
		}
	}
}

// TestBillNamesProgramAndModules: SPDX's own library takes the document for valid.
func TestBillNamesProgramAndModules(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(written(t, spring), "tcpprobe-"+version+".spdx.json"))
	must(t, err)
	document, err := json.Read(bytes.NewReader(content))
	must(t, err)
	must(t, spdxlib.ValidateDocument(document))
	described, err := spdxlib.GetDescribedPackageIDs(document)
	must(t, err)
	if len(described) != 1 || described[0] != "Program-linux-arm64-prober" {
		t.Errorf("describes %v", described)
	}
	for _, want := range []string{"pkg:golang/stdlib@1.", "pkg:golang/helm.sh/helm/v4@v4."} {
		if !slices.ContainsFunc(document.Packages, func(p *spdx.Package) bool {
			return len(p.PackageExternalReferences) == 1 && strings.HasPrefix(p.PackageExternalReferences[0].Locator, want)
		}) {
			t.Errorf("no module %s", want)
		}
	}
	if n := len(document.Relationships); n != len(document.Packages) {
		t.Errorf("%d relationships of %d packages: one program describes, the others are linked", n, len(document.Packages))
	}
}

func TestRefusesWhatIsNoVersion(t *testing.T) {
	r := release{version: "today", chart: "../../charts/tcpprobe", output: t.TempDir(), programs: t.TempDir()}
	if err := r.write(); err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("want a refusal of the version: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
