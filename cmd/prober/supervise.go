package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// supervise runs a worker to its end, whatever that is, and returns the exit status.
func supervise(o order, reset resetter) int {
	started := time.Now()
	// A prober that cannot report must not send anything; and no older summary may stand for this run.
	if err := os.WriteFile(o.summary, nil, 0o644); err != nil {
		complain(fmt.Errorf("clear the summary: %w", err))
		return exitSilent
	}
	p, err := o.load()
	if err != nil {
		return refuse(o, p, err)
	}
	flows, file, err := ledger.Create()
	if err != nil {
		return aftermath{order: o, plan: p, started: started}.close(end{why: report.ProberFault, how: err.Error()})
	}
	defer file.Close()
	t := timetableOf(started, time.Duration(p.DeadlineSeconds)*time.Second)
	e := runWorker(o, t, file)
	if e.clean() {
		return exitReported
	}
	return aftermath{o, p, started, t, flows, reset}.close(e)
}

// refuse reports that the plan could not be used. p may be nil.
func refuse(o order, p *plan.Plan, reason error) int {
	complain(reason)
	run := ""
	if p != nil {
		run = p.Run
	}
	if err := writeSummary(o.summary, report.Refusal(run, o.source, reason)); err != nil {
		complain(err)
	}
	return exitRefused
}

// timetable is how a run's time is divided, so that the summary is there before the deadline even if the worker
// does not end at the end of its time.
type timetable struct {
	until time.Time // the worker ends its flows
	kill  time.Time // the supervisor ends the worker
	last  time.Time // resetting ends
}

// stopWithin is the time that a worker has from the signal to stop to its death.
const stopWithin = 6 * time.Second

// timetableOf keeps a tenth of the time in reserve, 6 s at most: the engine takes up to 4 s to give up a flow that
// nobody answers.
func timetableOf(started time.Time, whole time.Duration) timetable {
	reserve := min(whole/10, 6*time.Second)
	deadline := started.Add(whole)
	return timetable{deadline.Add(-reserve), deadline.Add(-reserve / 3), deadline.Add(-reserve / 10)}
}

// runWorker starts the worker, passes signals on to it and sees to it that it ends in time.
func runWorker(o order, t timetable, flows *os.File) end {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	worker, err := startWorker(o, t, flows)
	if err != nil {
		return end{why: report.ProberFault, how: "the worker could not be started: " + err.Error()}
	}
	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- reap(worker.Pid) }()
	return await(worker, t, signals, ended)
}

// await is the supervisor's whole attention while the worker lives.
func await(worker *os.Process, t timetable, signals <-chan os.Signal, ended <-chan syscall.WaitStatus) end {
	e := end{why: report.ProberKilled}
	overdue := time.NewTimer(time.Until(t.kill))
	for {
		select {
		case status := <-ended:
			e.status = status
			return e
		case s := <-signals:
			_ = worker.Signal(s) // an error means that it has ended
			if e.told == nil {
				e.told = s
				overdue.Reset(min(stopWithin, time.Until(t.kill)))
			}
		case <-overdue.C:
			_ = worker.Kill()
			e.overdue = true
			if e.told == nil {
				e.why = report.DeadlineExceeded
			}
		}
	}
}

// startWorker starts this program again as the worker. Should the supervisor die, the worker is told to
// stop; as process 1 of a container it takes the worker with it at once.
func startWorker(o order, t timetable, flows *os.File) (*os.Process, error) {
	return os.StartProcess("/proc/self/exe", o.workerArgs(t.until), &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, flows}, // flows is ledgerFD
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM},
	})
}

// reap waits for the process pid, and for every other child that ends meanwhile: orphans of the whole
// container become process 1's. A child whose status somebody else has taken counts as ended badly.
func reap(pid int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case got == pid:
			return status
		case err == syscall.ECHILD:
			return 0xff << 8
		}
	}
}
