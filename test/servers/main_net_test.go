//go:build net

package servers_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// command is the path of tcpprobe, as users run it.
var command string

func TestMain(m *testing.M) { os.Exit(withCommand(m)) }

// withCommand builds the command and runs the tests.
func withCommand(m *testing.M) (status int) {
	folder, err := os.MkdirTemp("", "tcpprobe")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	command = filepath.Join(folder, "tcpprobe")
	if out, err := exec.Command("go", "build", "-o", command, "../../cmd/tcpprobe").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building tcpprobe: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
