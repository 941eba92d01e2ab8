//go:build guest

package guest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// kernel is a guest's kernel, and the machine that is emulated for it.
type kernel struct {
	name     string // its folder
	version  string // what its version must contain
	arch     string // as Go names it
	emulator []string
	words    string   // of its command line
	ignores  bool     // it ignores a FIN that an ACK has overtaken
	modes    []string // the ways in which the guard can be attached there
}

// cx16=off: qemu 7.2 emulates cmpxchg16b with wrong flags, and kernel 6.12 panics on that. la57=off: page tables of
// four levels are faster to emulate than of five. no_timer_check: on a busy machine the emulated timer ticks late, and
// kernel 5.10 panics on that.
var (
	amd64 = kernel{arch: "amd64", words: "console=ttyS0 no_timer_check",
		emulator: []string{"qemu-system-x86_64", "-cpu", "max,cx16=off,la57=off"}}
	arm64 = kernel{arch: "arm64", words: "console=ttyAMA0",
		emulator: []string{"qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"}}
)

var kernels = []kernel{
	amd64.with("5.10", "5.10.223", true, "clsact"),
	amd64.with("6.1", "6.1.", false, "clsact"),
	amd64.with("6.12", "6.12.", false, "tcx", "clsact"),
	arm64.with("6.12-arm64", "6.12.", false, "tcx", "clsact"),
}

func (k kernel) with(name, version string, ignores bool, modes ...string) kernel {
	k.name, k.version, k.ignores, k.modes = name, version, ignores, modes
	return k
}

// folder is where its files are.
func (k kernel) folder(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	script := exec.CommandContext(t.Context(), "./fetch.sh")
	script.Stdout, script.Stderr = &out, os.Stderr
	must(t, script.Run())
	return filepath.Join(strings.TrimSpace(out.String()), k.name)
}

// first compiles the guests' first process.
func (k kernel) first(t *testing.T) string { return k.compile(t, "build", "./init") }

// programs are those that are compiled, in a folder of their own.
var programs struct {
	sync.Mutex
	folder string
}

func TestMain(m *testing.M) {
	var err error
	if programs.folder, err = os.MkdirTemp("", "guest-"); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := os.RemoveAll(programs.folder); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// compile makes a static program, which runs in a guest without other files. It makes each once, one after the other.
func (k kernel) compile(t *testing.T, words ...string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	program := filepath.Join(programs.folder, k.arch+"-"+filepath.Base(words[len(words)-1]))
	if _, err := os.Stat(program); err == nil {
		return program
	}
	words = slices.Insert(words, len(words)-1, "-ldflags", "-s -w", "-o", program)
	compiler := exec.CommandContext(t.Context(), "go", words...)
	compiler.Env, compiler.Stderr = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+k.arch), os.Stderr
	must(t, compiler.Run())
	return program
}

// runTests runs the tests of packages that match their patterns, in a guest with the devices of the lab. It returns
// what the guest said on its console.
func (k kernel) runTests(t *testing.T, patterns map[string]string) string {
	t.Helper()
	programs, words := map[string]string{"init": k.first(t)}, ""
	for folder, pattern := range patterns {
		name := filepath.Base(folder)
		programs["tests/"+name] = k.compile(t, "test", "-c", "-tags", "net", "../../"+folder)
		words += name + "=" + pattern + " "
	}
	initrd := pack(t, filepath.Join(k.folder(t), "devices"), programs)
	m := k.boot(t, initrd, nil, words, "-m", "1024")
	var ended Tested
	m.hear(t, testsPatience, &ended)
	for range m.said {
		continue // until the guest has ended and the log is complete
	}
	if ended.Error != "" {
		t.Errorf("the tests in the guest: %s", ended.Error)
	}
	return m.log.String()
}
