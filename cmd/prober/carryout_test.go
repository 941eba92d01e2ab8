package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// soonOver is a plan with a short deadline. Even on a busy machine there is time to start a process and to end one.
var soonOver = strings.Replace(examplePlan, "300", "10", 1)

func TestOrdinaryRun(t *testing.T) {
	p := start(t, "passes", examplePlan)
	s := p.conclude(t)
	if len(s.Groups) > 0 || s.Verdict(1, 1) != report.Pass {
		t.Errorf("summary %+v", s)
	}
	r, err := report.Read(strings.NewReader(p.stdout.String()))
	if err != nil || len(r.Results) != 4 || strings.Count(p.stdout.String(), "\n") != 1 {
		t.Errorf("%v; stdout %q", err, p.stdout.String())
	}
	if len(p.said) > 0 {
		t.Errorf("stderr of a run without anything to say: %q", p.said)
	}
}

func TestKilledWorkersFlowsAreReset(t *testing.T) {
	p := start(t, "hangs", examplePlan)
	kill(t, p.ready(t), syscall.SIGKILL)
	s := p.conclude(t)
	allInconclusive(t, s, report.ProberKilled,
		"the worker was killed by signal 9 (killed); of 2 flows it had open 2 were reset")
	if !p.heard("reset 10.244.2.1:8080 with 0") || !p.heard("reset 10.244.2.2:8080 with 1") || s.LeakedFlows != 0 {
		t.Errorf("%d flows may be left; stderr %q", s.LeakedFlows, p.said)
	}
	r, err := report.Read(strings.NewReader(p.stdout.String()))
	if err != nil || len(r.Results) != 4 || r.Verdict() != report.Inconclusive {
		t.Errorf("%v; stdout %q", err, p.stdout.String())
	}
}

func TestFlowsThatCouldNotBeResetAreCounted(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	p.Env = append(p.Env, resetVariable+"=one fails")
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	s := p.conclude(t)
	if s.LeakedFlows != 1 || !p.heard("one peer is silent") {
		t.Errorf("%d flows may be left, stderr %q", s.LeakedFlows, p.said)
	}
}

// The container may be killed while flows are reset. By then the summary must be written.
func TestSummaryIsWrittenBeforeTheFlowsAreReset(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	p.Env = append(p.Env, resetVariable+"=hangs")
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	p.hear(t, "reset begins")
	kill(t, p.Process.Pid, syscall.SIGKILL)
	p.end(t)
	s, err := p.decode()
	if err != nil {
		t.Fatal(err)
	}
	allInconclusive(t, s, report.ProberKilled, "killed by signal 9")
	if s.LeakedFlows != 2 {
		t.Errorf("%d flows may be left, want 2", s.LeakedFlows)
	}
}

func TestResettingEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel() // it mostly waits
	p := prepare(t, "hangs", soonOver)
	p.Env = append(p.Env, resetVariable+"=hangs")
	p.begin(t)
	s := p.conclude(t)
	if s.LeakedFlows != 2 || !p.heard("no time left for 2 flows") {
		t.Errorf("%d flows may be left, stderr %q", s.LeakedFlows, p.said)
	}
}

func TestPanicOfTheWorker(t *testing.T) {
	p := start(t, "strays", examplePlan)
	s := p.conclude(t)
	allInconclusive(t, s, report.ProberKilled, "the worker ended with status 2")
	if !p.heard("panic: strayed") {
		t.Errorf("the panic's words are lost: %q", p.said)
	}
	if p.heard("reset 10.244.2.200") || p.heard("reset 169.254") || !p.heard("reset 10.244.2.2:8080") {
		t.Errorf("resets went where the plan does not allow any: %q", p.said)
	}
}

func TestSignalsToStopReachTheWorker(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, "obeys", examplePlan)
			p.ready(t)
			kill(t, p.Process.Pid, s)
			got := p.conclude(t)
			if got.Verdict(0, 1) != report.Pass || got.Verdict(0, 0) != report.Inconclusive ||
				got.Verdict(1, 1) != report.Inconclusive {
				t.Errorf("verdicts %+v", got)
			}
			for _, g := range got.Groups {
				if want := fmt.Sprintf("told to stop (%s)", s); g.Reason != report.ProberKilled ||
					!strings.Contains(g.Message, want) {
					t.Errorf("%s: %q; want %s: %q", g.Reason, g.Message, report.ProberKilled, want)
				}
			}
			if p.heard("reset") {
				t.Errorf("flows of an orderly end were reset again: %q", p.said)
			}
		})
	}
}

func TestDeadlineEndsTheWorkerInAnOrderlyWay(t *testing.T) {
	t.Parallel() // it mostly waits
	p := start(t, "obeys", soonOver)
	s := p.conclude(t)
	if s.Verdict(0, 1) != report.Pass || s.Verdict(1, 1) != report.Inconclusive {
		t.Errorf("verdicts %+v", s)
	}
	for _, g := range s.Groups {
		if g.Reason != report.DeadlineExceeded {
			t.Errorf("%s: %q", g.Reason, g.Message)
		}
	}
}

func TestWorkerThatIgnoresTheDeadlineIsKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	p := start(t, "hangs", soonOver)
	s := p.conclude(t)
	allInconclusive(t, s, report.DeadlineExceeded,
		"the worker did not end at the deadline and was killed; of 2 flows it had open 2 were reset")
}

func TestWorkerThatIgnoresTheSignalIsKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	p := start(t, "hangs", soonOver)
	p.ready(t)
	kill(t, p.Process.Pid, syscall.SIGTERM)
	allInconclusive(t, p.conclude(t), report.ProberKilled, "was told to stop (terminated), did not, and was killed")
}

func TestChecksWithoutResultAreNotSilent(t *testing.T) {
	p := start(t, "forgets", examplePlan)
	allInconclusive(t, p.conclude(t), report.ProberFault, "no result")
}

// Outside a container the kernel does not kill the worker with its supervisor, so the worker stops by itself.
func TestWorkerOutlivesItsSupervisorOnlyToEndItsFlows(t *testing.T) {
	p := start(t, "obeys", examplePlan)
	p.ready(t)
	kill(t, p.Process.Pid, syscall.SIGKILL)
	p.end(t) // waits for the end of stderr, which the worker has open too
	if !p.heard("flows ended") {
		t.Errorf("stderr %q", p.said)
	}
	if _, err := p.decode(); err == nil {
		t.Error("a summary of a killed supervisor")
	}
}

// As process 1 of a container the supervisor becomes the parent of orphans. It must not take one of them for its
// worker.
func TestOrphansAreReaped(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("making a PID namespace takes root")
	}
	p := prepare(t, "orphans", examplePlan)
	p.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	p.begin(t)
	if s := p.conclude(t); s.Verdict(0, 0) != report.Pass || len(p.said) > 0 {
		t.Errorf("summary %+v, stderr %q", s, p.said)
	}
}

func TestUnwritableSummarySendsNothing(t *testing.T) {
	p := withSummary(t, filepath.Join(t.TempDir(), "not", "there"))
	if status := p.end(t); status != exitSilent || !p.heard("clear the summary") || p.stdout.Len() > 0 {
		t.Errorf("status %d, stderr %q, stdout %q", status, p.said, p.stdout.String())
	}
}

// If the log is lost, the summary still has the verdicts.
func TestLostLogDoesNotCostTheSummary(t *testing.T) {
	p := prepare(t, "passes", examplePlan)
	p.Stdout = brokenPipe(t)
	p.begin(t)
	if s := p.conclude(t); s.Verdict(0, 0) != report.Pass || !p.heard("write the report") {
		t.Errorf("summary %+v, stderr %q", s, p.said)
	}
}

// If the termination message is lost, the log still has the report.
func TestFullDiskDoesNotCostTheReport(t *testing.T) {
	p := start(t, "obeys", examplePlan)
	p.ready(t)
	if err := errors.Join(os.Remove(p.summary), os.Symlink("/dev/full", p.summary)); err != nil {
		t.Fatal(err)
	}
	kill(t, p.Process.Pid, syscall.SIGTERM)
	if status := p.end(t); status != exitSilent || !p.heard("write the summary: ") {
		t.Errorf("status %d, stderr %q", status, p.said)
	}
	if r, err := report.Read(strings.NewReader(p.stdout.String())); err != nil || len(r.Results) != 4 {
		t.Errorf("%v; stdout %q", err, p.stdout.String())
	}
}

func TestPipeWithoutReaderIsNoSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	p := withSummary(t, path)
	if status := p.end(t); status != exitSilent || !p.heard("a pipe that nobody reads") || p.stdout.Len() > 0 {
		t.Errorf("status %d, stderr %q, stdout %q", status, p.said, p.stdout.String())
	}
}

// withSummary starts a prober that writes its summary to the given path.
func withSummary(t *testing.T, path string) *prober {
	t.Helper()
	p := prepare(t, "passes", examplePlan)
	p.Args[len(p.Args)-1] = "--summary=" + path
	p.begin(t)
	return p
}

func TestWorkerThatDiesAfterItsReportIsBelieved(t *testing.T) {
	p := start(t, "leaves one", examplePlan)
	if s := p.conclude(t); s.Verdict(0, 0) != report.Pass || !p.heard("reset 10.244.2.1:8080") {
		t.Errorf("summary %+v, stderr %q", s, p.said)
	}
}

func TestLostLogDoesNotHideThatTheWorkerWasKilled(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	p.Stdout = brokenPipe(t)
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	allInconclusive(t, p.conclude(t), report.ProberKilled, "killed by signal 9")
}

func TestOlderSummaryDoesNotStandForThisRun(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	older := report.Summarize(passed(p.plan, "kn1"), p.plan)
	if err := os.WriteFile(p.summary, older.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	allInconclusive(t, p.conclude(t), report.ProberKilled, "killed by signal 9")
}

func TestPlansThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct{ name, plan, says string }{
		{"nothing", "", "not a whole plan document"},
		{"cut", examplePlan[:len(examplePlan)-9], "not a whole plan document"},
		{"hostile in size", examplePlan + strings.Repeat(" ", 1<<20), "at most 1048576"},
		{"hostile in depth", strings.Repeat("[", 1<<20), "not a whole plan document"},
		{"for another source", strings.Replace(examplePlan, "kn1", "kn2", 1), "kn1 is none of them"},
		{"with a denied target", strings.Replace(examplePlan, "10.244.2.2", "169.254.169.254", 1),
			"never probed: link-local or cloud metadata"},
		{"a flood", strings.Replace(examplePlan, `"packetsPerSecond": 200`, `"packetsPerSecond": 1000000`, 1),
			"packetsPerSecond 1000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, "passes", c.plan)
			if status := p.end(t); status != exitRefused || !p.heard(c.says) || p.stdout.Len() > 0 {
				t.Errorf("status %d, stderr %q, stdout %q", status, p.said, p.stdout.String())
			}
			if p.plan == nil { // the plan that the operator sent
				p.plan = prepare(t, "", examplePlan).plan
			}
			if _, err := p.decode(); !errors.Is(err, report.ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("summary: %v; want one that says %q", err, c.says)
			}
		})
	}
}

func TestMissingPlan(t *testing.T) {
	p := prepare(t, "passes", examplePlan)
	if err := os.Remove(strings.TrimPrefix(p.Args[1], "--plan=")); err != nil {
		t.Fatal(err)
	}
	p.begin(t)
	if status := p.end(t); status != exitRefused || !p.heard("plan.json: no such file") {
		t.Errorf("status %d, stderr %q", status, p.said)
	}
}

// brokenPipe returns a pipe without a reader.
func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}
