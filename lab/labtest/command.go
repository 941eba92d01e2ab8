package labtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Command is the path of tcpprobe, as users run it.
type Command string

// Main builds the command and runs a package's tests. It returns their exit status.
func (c *Command) Main(m *testing.M) (status int) {
	folder, err := os.MkdirTemp("", "tcpprobe")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	*c = Command(filepath.Join(folder, "tcpprobe"))
	build := exec.CommandContext(context.Background(), "go", "build", "-o", string(*c),
		"github.com/tcpprobe/tcpprobe/cmd/tcpprobe")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building tcpprobe: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Run carries out `tcpprobe run` in a namespace and returns its report.
func (c Command) Run(t *testing.T, from *lab.Namespace, target netip.AddrPort, args ...string) (r report.Report) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(t.Context(), string(c), append([]string{"run", target.String(), "-o", "json"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := from.Run(cmd)
	if wrong := json.Unmarshal(out.Bytes(), &r); wrong != nil {
		t.Fatalf("%v: no report: %v\n%s", err, wrong, complaints.Bytes())
	}
	for _, one := range r.Results {
		t.Logf("%s %s: %s / %s, %d flows", one.Scenario, one.Variant, one.Verdict, one.Reason, one.Flows.Tried)
	}
	return r
}

// Exec runs another command in a namespace, with this input, and expects that it succeeds.
func Exec(t *testing.T, in *lab.Namespace, stdin, name string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &out
	if err := in.Run(cmd); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, &out)
	}
}
