package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// worker is a running worker process from the supervisor's view.
type worker struct {
	process    *os.Process
	connection *Connection
	received   chan *report.Report // delivers one report; nil if the worker sent none
	finished   []report.Report     // partial reports that came before; complete once received has delivered
	reported   *report.Report      // set by await
}

// start starts this program again as the worker. If the supervisor dies, the worker notices the end of the connection.
// (PR_SET_PDEATHSIG would not do: the kernel clears it if the program's file has capabilities.) If the supervisor is
// process 1 of a container, the kernel kills the worker with it.
func (s Supervisor) start(t Task, flows *os.File, receive func(*worker)) (*worker, error) {
	c, err := Connect(flows, t.Spill)
	if err != nil {
		return nil, err
	}
	files := append([]*os.File{os.Stdin, os.Stderr, os.Stderr}, c.Files()...)
	prepared := s.prepareGuard(t)
	p, err := os.StartProcess("/proc/self/exe", append([]string{os.Args[0]}, s.Worker...), &os.ProcAttr{Files: files})
	if err := errors.Join(c.Inherited(), err); err != nil {
		_ = (<-prepared).Close() // the guard is not needed
		return nil, errors.Join(err, c.Close())
	}
	w := &worker{process: p, connection: c, received: make(chan *report.Report, 1)}
	go receive(w)
	// Send blocks until the worker reads, so it runs in the background. If the worker has ended, it fails, which await
	// reports.
	go func() { _ = c.Send(t, <-prepared) }()
	return w, nil
}

// receive reads the report while the worker writes it, because a pipe holds less than a report.
func (w *worker) receive() {
	for {
		r, err := w.connection.Receive()
		switch {
		case err != nil:
			w.received <- nil
			return
		case !r.Partial:
			w.received <- &r
			return
		}
		w.finished = append(w.finished, r)
	}
}

// end says how a worker ended.
type end struct {
	status     syscall.WaitStatus
	stopSignal os.Signal     // the signal after which it was told to stop; nil if it was not
	overdue    bool          // it did not stop in time, and the supervisor killed it
	why        report.Reason // reason for the checks that it did not finish
	how        string        // error text if it could not be started
}

func (e end) String() string {
	switch {
	case e.how != "":
		return e.how
	case e.overdue && e.stopSignal != nil:
		return fmt.Sprintf("the worker was told to stop (%s), did not, and was killed", e.stopSignal)
	case e.overdue:
		return "the worker did not end at the deadline and was killed"
	case e.status.Signaled():
		return fmt.Sprintf("the worker was killed by signal %d (%s)", e.status.Signal(), e.status.Signal())
	default:
		return fmt.Sprintf("the worker ended with status %d and without a report; see its last words on standard error",
			e.status.ExitStatus())
	}
}

// await waits for the worker's end. It passes signals on to the worker, closes the connection when the report has come,
// and kills the worker if it takes too long.
func (w *worker) await(t deadlines, signals <-chan os.Signal) end {
	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- reap(w.process.Pid) }()
	e := end{why: report.ProberKilled}
	overdue := time.NewTimer(time.Until(t.kill))
	received := w.received
	for {
		select {
		case w.reported = <-received:
			received = nil
			_ = w.connection.Close()
		case e.status = <-ended:
			if received != nil {
				w.reported = <-received
				_ = w.connection.Close()
			}
			return e
		case s := <-signals:
			_ = w.process.Signal(s) // an error means that the worker has ended
			if e.stopSignal == nil {
				e.stopSignal = s
				overdue.Reset(min(stopWithin, time.Until(t.kill)))
			}
		case <-overdue.C:
			_ = w.process.Kill()
			e.overdue = true
			if e.stopSignal == nil {
				e.why = report.DeadlineExceeded
			}
		}
	}
}

// reap waits for the process pid. It also reaps every other child that ends meanwhile: in a container, orphans become
// children of process 1. If the status of pid was taken by someone else, it counts as a failure.
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
