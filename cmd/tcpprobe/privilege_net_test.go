//go:build net

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
)

func TestCommandsNeedPrivileges(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"run", "192.0.2.2:80"}, {"lab"}} {
		// Use a copy that every user may execute: the test's own directory is private.
		cmd := exec.Command(publicCopy(t), args...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if r := finish(t, cmd, (*exec.Cmd).Run); r.status != cli.ExitUnable || !strings.Contains(r.stderr, "root") {
			t.Errorf("%v as nobody: %+v, want status 2 and what to do", args, r)
		}
	}
}

func publicCopy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tcpprobe") //nolint:usetesting // other users may not enter the folder of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "tcpprobe")
	if err := os.WriteFile(file, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}
