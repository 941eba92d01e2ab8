package labcmd

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
)

// asCommand is set to make the test binary behave as tcpprobe: tests run commands, and the lab starts its own program
// as a worker.
const asCommand = "TCPPROBE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		root := &cobra.Command{Use: "tcpprobe", SilenceUsage: true, SilenceErrors: true}
		root.AddCommand(Command(), cli.WorkerCommand())
		status := cli.Execute(ctx, root)
		stop()
		os.Exit(status)
	}
	os.Setenv(asCommand, "1")
	os.Exit(m.Run())
}

// result is the result of a command line.
type result struct {
	status         int
	stdout, stderr string
}

// tcpprobe runs a command line in a process of its own.
func tcpprobe(t *testing.T, args ...string) result {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
