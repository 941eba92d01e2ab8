//go:build net

package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A worker that does not end at the deadline is killed. What it finished before is reported nevertheless. Of a deadline
// of a minute the parent has 1.4 s to reset the flows, which it can do on a busy machine too.
func TestNetOverdueWorkersFinishedChecksAreKept(t *testing.T) {
	n := newNetwork(t, lab.IPv4, "tcx")
	f, err := fault.Parse("push-at-zero") // so SequenceWrap needs the whole time
	if err != nil {
		t.Fatal(err)
	}
	dropping, err := n.Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dropping.Close() })
	p := n.start(t, n.plan(t, 4, 20, 60), 0)
	p.awaitLine(t, "prober: 1 of 2 checks done")
	kill(t, child(t, p.Process.Pid), syscall.SIGSTOP)
	s := p.awaitSummary(t)
	if s.Verdict(0, 0) != report.Pass || s.Verdict(0, 1) != report.Inconclusive || s.Guard != "tcx" || s.LeakedFlows > 0 {
		t.Errorf("summary %+v", s)
	}
	for _, g := range s.Groups {
		if g.Reason != report.DeadlineExceeded || !strings.Contains(g.Message, "was killed") {
			t.Errorf("%s: %q", g.Reason, g.Message)
		}
	}
	n.clean(t)
}
