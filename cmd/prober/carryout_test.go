package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestOrdinaryRun(t *testing.T) {
	p := start(t, "passes", examplePlan)
	s := p.awaitSummary(t)
	if len(s.Groups) > 0 || s.Verdict(1, 1) != report.Pass {
		t.Errorf("summary %+v", s)
	}
	r, err := report.Read(strings.NewReader(p.stdout.String()))
	if err != nil || len(r.Results) != 4 || strings.Count(p.stdout.String(), "\n") != 1 {
		t.Errorf("%v; stdout %q", err, p.stdout.String())
	}
	if len(p.stderrLines) > 0 {
		t.Errorf("stderr of a run without anything to say: %q", p.stderrLines)
	}
}

func TestPanicOfTheWorker(t *testing.T) {
	p := start(t, "opens an unplanned flow", examplePlan)
	s := p.awaitSummary(t)
	allInconclusive(t, s, report.ProberKilled, "the worker ended with status 2")
	if !p.printed("panic: strayed") {
		t.Errorf("the panic's words are lost: %q", p.stderrLines)
	}
	if p.printed("reset 10.244.2.200") || p.printed("reset 169.254") || !p.printed("reset 10.244.2.2:8080") {
		t.Errorf("resets went where the plan does not allow any: %q", p.stderrLines)
	}
}

func TestChecksWithoutResultAreNotSilent(t *testing.T) {
	p := start(t, "returns no results", examplePlan)
	allInconclusive(t, p.awaitSummary(t), report.ProberFault, "no result")
}

// As process 1 of a container the supervisor becomes the parent of orphans. It must not take one of them for its
// worker.
func TestOrphansAreReaped(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("making a PID namespace takes root")
	}
	p := prepare(t, "leaves an orphan process", examplePlan)
	p.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	p.begin(t)
	if s := p.awaitSummary(t); s.Verdict(0, 0) != report.Pass || len(p.stderrLines) > 0 {
		t.Errorf("summary %+v, stderr %q", s, p.stderrLines)
	}
}

func TestWorkerThatDiesAfterItsReportIsBelieved(t *testing.T) {
	p := start(t, "leaves a flow open", examplePlan)
	if s := p.awaitSummary(t); s.Verdict(0, 0) != report.Pass || !p.printed("reset 10.244.2.1:8080") {
		t.Errorf("summary %+v, stderr %q", s, p.stderrLines)
	}
}
