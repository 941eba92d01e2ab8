//go:build net

package main

import (
	"bufio"
	"encoding/json"
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
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// runFrom runs `tcpprobe run` on a lab's client.
func runFrom(t *testing.T, s *lab.Lab, args ...string) result {
	t.Helper()
	return finish(t, exec.Command("/proc/self/exe", append([]string{"run", "--paths", "2"}, args...)...), s.Client().Run)
}

func TestRunCommand(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, f := range lab.Families {
		target := s.Target(f, lab.Echo).String()
		if r := runFrom(t, s, target, "-o", "json", "--source-interface", lab.ClientDevice); r.status != cli.ExitPass ||
			len(read(t, r).Results) != 2 {
			t.Errorf("%s: %+v", f, r)
		}
		people := runFrom(t, s, target, "--scenario", "Handshake")
		if people.status != cli.ExitPass || !strings.Contains(people.stdout, "Established") ||
			strings.Contains(people.stdout, "SequenceWrap") {
			t.Errorf("%s: %+v", f, people)
		}
		closed := s.ServerAddr(f).String()
		if f == lab.IPv6 {
			closed = "[" + closed + "]"
		}
		r := runFrom(t, s, closed+":9", "-o", "json", "--scenario", "Handshake")
		if r.status != cli.ExitFail || read(t, r).Results[0].Reason != report.Refused {
			t.Errorf("%s, a closed port: %+v", f, r)
		}
	}
	everyPush, err := fault.Parse("every-push")
	if err != nil {
		t.Fatal(err)
	}
	injection, err := s.Inject(everyPush)
	if err != nil {
		t.Fatal(err)
	}
	defer injection.Close()
	if r := runFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "--scenario",
		"SequenceWrap"); r.status != cli.ExitInconclusive {
		t.Errorf("over a path that loses every control: %+v", r)
	}
}

func read(t *testing.T, r result) report.Report {
	t.Helper()
	out, err := report.Read(strings.NewReader(r.stdout))
	if err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	return out
}

// If a command cannot be carried out, it reports that before anything is sent.
func TestRunCommandRefuses(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"203.0.113.1:80"}, "cannot be probed: 203.0.113.1: no route"},
		{[]string{s.Target(lab.IPv4, lab.Echo).String(), "--source-interface", "eth9"},
			"eth9: this machine has no such network device"},
		{[]string{"0.0.0.0:80"}, "it is no host's address"},
		{[]string{"[::]:80"}, "it is no host's address"},
		{[]string{"224.0.0.1:80"}, "address of many hosts"},
		{[]string{"[ff02::1]:80"}, "address of many hosts"},
		{[]string{"255.255.255.255:80"}, "address of many hosts"},
		{[]string{"[fe80::1%" + lab.ClientDevice + "]:80"}, "link-local IPv6 addresses cannot be probed"},
	} {
		if r := runFrom(t, s, c.args...); r.status != cli.ExitUnable || r.stdout != "" ||
			!strings.Contains(r.stderr, c.says) {
			t.Errorf("%v: %+v, want status 2 and %q", c.args, r, c.says)
		}
	}
}

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

// The lab's demo prints its result as text and as JSON.
func TestLabDemo(t *testing.T) {
	t.Parallel()
	r := tcpprobe(t, "lab", "--paths", "4")
	if r.status != cli.ExitPass || !strings.Contains(r.stdout, "The switch is healthy.") ||
		!strings.Contains(r.stdout, "SequenceZeroDropped") {
		t.Errorf("%+v", r)
	}
	r = tcpprobe(t, "lab", "--paths", "4", "-o", "json", "--family", "IPv6")
	file := filepath.Join(t.TempDir(), "demo.json")
	if err := os.WriteFile(file, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := tcpprobe(t, "report", file); told.status != cli.ExitFail || strings.Count(told.stdout, "SCENARIO") != 2 {
		t.Errorf("the demo as a report: %+v", told)
	}
	lines := json.NewDecoder(strings.NewReader(r.stdout))
	for _, want := range []report.Verdict{report.Pass, report.Fail} {
		var p struct{ Report report.Report }
		if err := lines.Decode(&p); err != nil || p.Report.Verdict() != want || len(p.Report.Results) != 2 {
			t.Errorf("%v: %+v, want %s", err, p, want)
		}
	}
}

func TestLabWithFaultsGivesTheirVerdict(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]int{"push-at-zero": cli.ExitFail, "delay=1ms": cli.ExitPass,
		"every-push": cli.ExitInconclusive} {
		if r := tcpprobe(t, "lab", "--paths", "2", "--family", "IPv4", "--fault", fault); r.status != want {
			t.Errorf("%s: %+v, want status %d", fault, r, want)
		}
	}
}

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

// If either of the two processes is killed, no connection is left at the target.
func TestKilledRunLeavesNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		t.Run("worker/"+string(f), func(t *testing.T) {
			cmd := slow(t, s, f)
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

// The run ends by its deadline, and unfinished checks have the reason DeadlineExceeded.
func TestRunCommandHoldsItsDeadline(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	r := runFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "--scenario", "SequenceWrap", "--paths", "64",
		"--packets-per-second", "10", "--deadline", "10s", "-o", "json")
	found := read(t, r)
	if r.status != cli.ExitInconclusive || len(found.Results) != 1 || found.Results[0].Reason != report.DeadlineExceeded ||
		found.LeakedFlows != 0 {
		t.Errorf("%+v", r)
	}
	labtest.ExpectNothingLeft(t, s)
}
