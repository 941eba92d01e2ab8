// Package supervisor runs the packet engine in a process of its own: the worker. The supervisor is its parent and
// shares the ledger of live flows with it. If the worker is killed, the supervisor resets the flows that are left in
// the ledger and reports what happened. If the supervisor is killed, the worker ends its flows by itself. A parent
// whose flows disappear with a network namespace does not need Supervise; it uses a Connection alone.
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

// Supervisor has the settings and callbacks of a supervisor.
type Supervisor struct {
	Worker []string                                          // arguments that make this program call Work
	Reset  func([]ledger.Entry) (reset, left int, err error) // run.ResetOrphans
	// makes the worker's guard while its process starts; may be nil, and may return nil
	PrepareGuard func(Task) *guard.Handover
	// gets a report before flows are reset, because that may take too long; may be nil
	Provisional func(report.Report)
	LogError    func(error) // gets errors that are not in the report
}

// Supervise starts a worker that carries out the task, and returns its report. On SIGTERM or SIGINT it tells the worker
// to stop, and stopSignal is the first such signal. Every check has a result in the report; checks that the worker did
// not finish are Inconclusive with the reason. The process must have no other children, because Supervise reaps all.
func (s Supervisor) Supervise(t Task) (r report.Report, stopSignal os.Signal) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	started := time.Now()
	times := deadlinesOf(started, time.Duration(t.Plan.DeadlineSeconds)*time.Second)
	t.Until, t.EndBy, t.Finished = times.until, times.endBy, true
	rec := recovery{Supervisor: s, task: t, started: started, times: times}
	flows, file, err := ledger.Create()
	if err != nil {
		return rec.report(end{why: report.ProberFault, how: err.Error()}, 0, resets{}), nil
	}
	defer file.Close()
	rec.flows = flows
	w, err := s.start(t, file, (*worker).receive)
	if err != nil {
		notStarted := fmt.Sprintf("the worker could not be started: %v", err)
		return rec.report(end{why: report.ProberFault, how: notStarted}, 0, resets{}), nil
	}
	e := w.await(times, signals)
	if w.reported != nil {
		rec.resetOrphans(rec.orphans()) // for a worker that died after its report
		return *w.reported, e.stopSignal
	}
	rec.finished = w.finished
	return rec.close(e), e.stopSignal
}

// prepareGuard makes the worker's guard in the background. It delivers nil if the worker has to make one.
func (s Supervisor) prepareGuard(t Task) <-chan *guard.Handover {
	made := make(chan *guard.Handover, 1)
	if s.PrepareGuard == nil {
		made <- nil
		return made
	}
	go func() { made <- s.PrepareGuard(t) }()
	return made
}
