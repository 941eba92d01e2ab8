//go:build net

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// If the lab is killed or interrupted while it works, its probing processes end too.
func TestNothingOutlivesTheLab(t *testing.T) {
	t.Parallel()
	const labs = 4 // a campaign has so many at the same time
	for signal, status := range map[syscall.Signal]int{syscall.SIGKILL: -1, syscall.SIGTERM: cli.ExitUnable} {
		cmd := exec.Command("/proc/self/exe", "lab", "--campaign", "--runs", "1000000", "--fault", "delay=1ms")
		progress, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		if !bufio.NewScanner(progress).Scan() {
			t.Fatal("no sign of progress")
		}
		workers := awaitChildren(t, cmd.Process.Pid, labs)
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Errorf("%v: exit status %d, want %d", signal, got, status)
		}
		awaitEnd(t, workers)
	}
}

// If either of the two processes is killed, no connection is left at the target.
func TestKilledRunLeavesNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		t.Run("worker/"+string(f), func(t *testing.T) {
			killWorker(t, slow(t, s, f))
			labtest.ExpectNothingLeft(t, s)
		})
		t.Run("supervisor/"+string(f), func(t *testing.T) {
			cmd := slow(t, s, f)
			workers := children(t, cmd.Process.Pid)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			awaitEnd(t, workers)
			labtest.ExpectNothingLeft(t, s)
		})
	}
}

// killWorker kills the command's worker, and expects that the command then ends with an inconclusive result.
func killWorker(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	workers := children(t, cmd.Process.Pid)
	if len(workers) != 1 {
		t.Fatalf("workers %v, want one", workers)
	}
	pid, err := strconv.Atoi(workers[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != cli.ExitInconclusive {
		t.Errorf("exit status %d, want %d", cmd.ProcessState.ExitCode(), cli.ExitInconclusive)
	}
}

// slow starts `tcpprobe run` on the client with flows that stay open for long: many flows at 200 packets a second.
func slow(t *testing.T, s *lab.Lab, f lab.Family, more ...string) *exec.Cmd {
	t.Helper()
	return holding(t, s, f, 5, append([]string{"run", "--paths", "256", "--scenario", "SequenceWrap",
		s.Target(f, lab.Echo).String()}, more...)...)
}

// holding starts a command on the client and waits until it has so many connections open at the same time.
func holding(t *testing.T, s *lab.Lab, f lab.Family, connections int, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stderr = os.Stderr
	if err := s.Client().Do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		open, err := s.Server().Sockets(s.ClientAddr(f))
		if err != nil {
			t.Fatal(err)
		}
		if open["ESTABLISHED"] >= connections {
			return cmd
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server's sockets are %v", open)
		}
	}
}

// awaitChildren waits until the process has so many children.
func awaitChildren(t *testing.T, pid, count int) []string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		pids := children(t, pid)
		if len(pids) == count {
			return pids
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d children, want %d", len(pids), count)
		}
	}
}

// awaitEnd waits until none of the processes is alive.
func awaitEnd(t *testing.T, pids []string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); len(alive(pids)) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still alive: %v", alive(pids))
		}
	}
}

func children(t *testing.T, pid int) (pids []string) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err == nil {
			pids = append(pids, strings.Fields(string(text))...)
		}
	}
	return pids
}

// alive returns the processes that exist and are not zombies.
func alive(pids []string) (out []string) {
	for _, pid := range pids {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		if err == nil && !strings.Contains(string(status), "State:\tZ") {
			out = append(out, pid)
		}
	}
	return out
}
