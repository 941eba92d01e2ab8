package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// soonOver is a plan with a short deadline. Even on a busy machine there is time to start a process and to end one.
var soonOver = strings.Replace(examplePlan, "300", "10", 1)

func TestSignalsToStopReachTheWorker(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, "ends flows when told", examplePlan)
			p.ready(t)
			kill(t, p.Process.Pid, s)
			got := p.awaitSummary(t)
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
			if p.printed("reset") {
				t.Errorf("flows of an orderly end were reset again: %q", p.stderrLines)
			}
		})
	}
}

func TestDeadlineEndsTheWorkerInAnOrderlyWay(t *testing.T) {
	t.Parallel() // it mostly waits
	p := start(t, "ends flows when told", soonOver)
	s := p.awaitSummary(t)
	if s.Verdict(0, 1) != report.Pass || s.Verdict(1, 1) != report.Inconclusive {
		t.Errorf("verdicts %+v", s)
	}
	for _, g := range s.Groups {
		if g.Reason != report.DeadlineExceeded {
			t.Errorf("%s: %q", g.Reason, g.Message)
		}
	}
	if p.printed("no time to end flows") {
		t.Error("nothing of the time is kept for the end of flows")
	}
}

func TestWorkerThatIgnoresTheDeadlineIsKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	p := start(t, "hangs", soonOver)
	s := p.awaitSummary(t)
	allInconclusive(t, s, report.DeadlineExceeded,
		"the worker did not end at the deadline and was killed; of 2 flows it had open 2 were reset")
}

// What was finished before the worker was killed is reported.
func TestKilledWorkersFinishedChecksAreKept(t *testing.T) {
	p := start(t, "hangs after a check", examplePlan)
	kill(t, p.ready(t), syscall.SIGKILL)
	s := p.awaitSummary(t)
	if s.Verdict(1, 1) != report.Pass || s.Verdict(0, 0) != report.Inconclusive || s.Verdict(1, 0) != report.Inconclusive {
		t.Errorf("verdicts %+v", s)
	}
	if s.LeakedFlows != 1 || s.Guard != "tcx" {
		t.Errorf("%d flows may be left, guard %q; want the worker's own: 1, tcx", s.LeakedFlows, s.Guard)
	}
	if r := p.stdout.String(); !strings.Contains(r, `"partial":true`) || !strings.Contains(r, `"unfinished":3`) {
		t.Errorf("report %s", r)
	}
}

func TestWorkerThatIgnoresTheSignalIsKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	p := start(t, "hangs", soonOver)
	p.ready(t)
	kill(t, p.Process.Pid, syscall.SIGTERM)
	allInconclusive(t, p.awaitSummary(t), report.ProberKilled, "was told to stop (terminated), did not, and was killed")
}

// Outside a container the kernel does not kill the worker with its supervisor, so the worker stops by itself.
func TestWorkerOutlivesItsSupervisorOnlyToEndItsFlows(t *testing.T) {
	p := start(t, "ends flows when told", examplePlan)
	p.ready(t)
	kill(t, p.Process.Pid, syscall.SIGKILL)
	p.end(t) // waits for the end of stderr, which the worker has open too
	if !p.printed("flows ended") {
		t.Errorf("stderr %q", p.stderrLines)
	}
	if _, err := p.decode(); err == nil {
		t.Error("a summary of a killed supervisor")
	}
}

func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}
