// Package supervisor keeps two processes of one program: the worker, which sends the packets, and its parent, which
// outlives it. The two share the ledger of live flows, so that whatever kills the worker, the supervisor can reset what
// it left at the targets and say what happened. If the supervisor is killed, the worker ends its flows by itself. A
// parent whose flows go with a network namespace needs no Supervise: it has a Connection with its worker.
package supervisor

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Supervisor says how to supervise.
type Supervisor struct {
	Worker []string                                    // arguments with which this program calls Work
	Reset  func([]ledger.Entry) (reset int, err error) // run.ResetOrphans
	// makes the worker's guard while its process starts; may be nil, and give nil
	PrepareGuard func(Task) *guard.Handover
	// gets the report before flows are reset, which may take too long; may be nil
	Provisional func(report.Report)
	Complain    func(error) // gets what went wrong in between
}

// Supervise has a worker carry out the task and returns its report. SIGTERM and SIGINT tell the worker to stop;
// stopSignal is the first of them. Every check has a result in the report: Inconclusive with the reason where the
// worker did not get so far. The process must have no other children: all are reaped.
func (s Supervisor) Supervise(t Task) (r report.Report, stopSignal os.Signal) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	started := time.Now()
	times := deadlinesOf(started, time.Duration(t.Plan.DeadlineSeconds)*time.Second)
	t.Until = times.until
	rec := recovery{Supervisor: s, task: t, started: started, times: times}
	flows, file, err := ledger.Create()
	if err != nil {
		return rec.report(end{why: report.ProberFault, how: err.Error()}, 0, 0), nil
	}
	defer file.Close()
	rec.flows = flows
	w, err := s.start(t, file)
	if err != nil {
		notStarted := fmt.Sprintf("the worker could not be started: %v", err)
		return rec.report(end{why: report.ProberFault, how: notStarted}, 0, 0), nil
	}
	e := w.await(times, signals)
	if w.reported != nil {
		rec.resetOrphans(rec.orphans()) // of a worker that died after its report
		return *w.reported, e.stopSignal
	}
	return rec.close(e), e.stopSignal
}

// prepareGuard begins to make the worker's guard; nil comes where the worker is to make it.
func (s Supervisor) prepareGuard(t Task) <-chan *guard.Handover {
	made := make(chan *guard.Handover, 1)
	if s.PrepareGuard == nil {
		made <- nil
		return made
	}
	go func() { made <- s.PrepareGuard(t) }()
	return made
}
