//go:build net

package main

import (
	"strconv"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The lab's stalled application is found out, and one that accepts is not.
func TestQueuesOfTheLab(t *testing.T) {
	t.Parallel()
	s := newSite(t, lab.Options{})
	for server, want := range map[lab.Server]report.Queue{
		lab.NeverAccepts:  {Least: 2, Most: 2, Behaviour: "IgnoredSyn"},
		lab.Echo:          {Least: 20, Most: 20},
		lab.Banner:        {Least: 20, Most: 20},
		lab.CloseOnAccept: {Least: 20, Most: 20},
		lab.Deferred:      {Least: 20, Most: 20},
	} {
		o := &labOptions{question: *askQueue(20, "AcceptQueue"), server: string(server)}
		o.packetsPerSecond = 2000
		o.family = "both"
		p, err := o.pass(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Report.Results {
			if r.Queue == nil || *r.Queue != want {
				t.Errorf("%s over %s: %s %+v, want %+v\n%s", server, r.Family, r.Reason, r.Queue, want, r.Message)
			}
		}
		if p.Report.LeakedFlows != 0 {
			t.Errorf("%s: %d flows leaked", server, p.Report.LeakedFlows)
		}
	}
	expectNothingLeft(t, s)
}

// A worker that is killed while it holds many connections leaves none of them.
func TestKilledFillingLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		cmd := holding(t, s, f, 60, "run", "--scenario", "AcceptQueue", "--max-connections", "2000", s.Target(f, lab.Sink).String())
		for _, worker := range children(t, cmd.Process.Pid) {
			pid, err := strconv.Atoi(worker)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if cmd.Wait(); cmd.ProcessState.ExitCode() != exitInconclusive {
			t.Errorf("exit status %d, want %d", cmd.ProcessState.ExitCode(), exitInconclusive)
		}
	}
	expectNothingLeft(t, s)
}
