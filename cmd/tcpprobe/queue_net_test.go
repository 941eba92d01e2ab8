//go:build net

package main

import (
	"strconv"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// If the worker is killed while it holds many connections, none is left.
func TestKilledFillingLeavesNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		cmd := holding(t, s, f, 60, "run", "--scenario", "AcceptQueue", "--max-connections", "2000",
			s.Target(f, lab.Sink).String())
		for _, worker := range children(t, cmd.Process.Pid) {
			pid, err := strconv.Atoi(worker)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != cli.ExitInconclusive {
			t.Errorf("exit status %d, want %d", cmd.ProcessState.ExitCode(), cli.ExitInconclusive)
		}
	}
	labtest.ExpectNothingLeft(t, s)
}
