package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestUnwritableSummarySendsNothing(t *testing.T) {
	p := withSummary(t, filepath.Join(t.TempDir(), "not", "there"))
	if status := p.end(t); status != exitSilent || !p.printed("clear the summary") || p.stdout.Len() > 0 {
		t.Errorf("status %d, stderr %q, stdout %q", status, p.stderrLines, p.stdout.String())
	}
}

// If the log is lost, the summary still has the verdicts.
func TestLostLogDoesNotCostTheSummary(t *testing.T) {
	p := prepare(t, "passes", examplePlan)
	p.Stdout = brokenPipe(t)
	p.begin(t)
	if s := p.awaitSummary(t); s.Verdict(0, 0) != report.Pass || !p.printed("write the report") {
		t.Errorf("summary %+v, stderr %q", s, p.stderrLines)
	}
}

// If the termination message is lost, the log still has the report.
func TestFullDiskDoesNotCostTheReport(t *testing.T) {
	p := start(t, "ends flows when told", examplePlan)
	p.ready(t)
	if err := errors.Join(os.Remove(p.summary), os.Symlink("/dev/full", p.summary)); err != nil {
		t.Fatal(err)
	}
	kill(t, p.Process.Pid, syscall.SIGTERM)
	if status := p.end(t); status != exitSilent || !p.printed("write the summary: ") {
		t.Errorf("status %d, stderr %q", status, p.stderrLines)
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
	if status := p.end(t); status != exitSilent || !p.printed("a pipe that nobody reads") || p.stdout.Len() > 0 {
		t.Errorf("status %d, stderr %q, stdout %q", status, p.stderrLines, p.stdout.String())
	}
}

func TestLostLogDoesNotHideThatTheWorkerWasKilled(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	p.Stdout = brokenPipe(t)
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	allInconclusive(t, p.awaitSummary(t), report.ProberKilled, "killed by signal 9")
}

func TestOlderSummaryDoesNotStandForThisRun(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	older := report.Summarize(passed(p.plan, "kn1"), p.plan)
	if err := os.WriteFile(p.summary, older.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	allInconclusive(t, p.awaitSummary(t), report.ProberKilled, "killed by signal 9")
}

// withSummary starts a prober that writes its summary to the given path.
func withSummary(t *testing.T, path string) *prober {
	t.Helper()
	p := prepare(t, "passes", examplePlan)
	p.Args[len(p.Args)-1] = "--summary=" + path
	p.begin(t)
	return p
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
