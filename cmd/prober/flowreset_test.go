package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestKilledWorkersFlowsAreReset(t *testing.T) {
	p := start(t, "hangs", examplePlan)
	kill(t, p.ready(t), syscall.SIGKILL)
	s := p.awaitSummary(t)
	allInconclusive(t, s, report.ProberKilled,
		"the worker was killed by signal 9 (killed); of 2 flows it had open 2 were reset")
	if !p.printed("reset 10.244.2.1:8080 with 0") || !p.printed("reset 10.244.2.2:8080 with 1") || s.Unconfirmed != 0 {
		t.Errorf("%d flows may be left; stderr %q", s.Unconfirmed, p.stderrLines)
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
	s := p.awaitSummary(t)
	if s.Unconfirmed != 1 || !p.printed("one peer is silent") {
		t.Errorf("%d flows may be left, stderr %q", s.Unconfirmed, p.stderrLines)
	}
}

// The container may be killed while flows are reset. By then the summary must be written.
func TestSummaryIsWrittenBeforeTheFlowsAreReset(t *testing.T) {
	p := prepare(t, "hangs", examplePlan)
	p.Env = append(p.Env, resetVariable+"=hangs")
	p.begin(t)
	kill(t, p.ready(t), syscall.SIGKILL)
	p.awaitLine(t, "reset begins")
	kill(t, p.Process.Pid, syscall.SIGKILL)
	p.end(t)
	s, err := p.decode()
	if err != nil {
		t.Fatal(err)
	}
	allInconclusive(t, s, report.ProberKilled, "killed by signal 9")
	if s.Unconfirmed != 2 {
		t.Errorf("%d flows may be left, want 2", s.Unconfirmed)
	}
}

func TestResettingEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel() // it mostly waits
	p := prepare(t, "hangs", soonOver)
	p.Env = append(p.Env, resetVariable+"=hangs")
	p.begin(t)
	s := p.awaitSummary(t)
	if s.Unconfirmed != 2 || !p.printed("no time left for 2 flows") {
		t.Errorf("%d flows may be left, stderr %q", s.Unconfirmed, p.stderrLines)
	}
}
