package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// worker is a started worker, as its supervisor sees it.
type worker struct {
	process    *os.Process
	connection *Connection
	received   chan *report.Report // one, nil if the worker gave none
	reported   *report.Report      // after await
}

// start starts this program again as the worker. Should the supervisor die, the end of the connection tells the worker,
// whatever privileges the program's file has (PR_SET_PDEATHSIG does not survive those); as process 1 of a container
// the supervisor takes the worker with it at once.
func (s Supervisor) start(t Task, flows *os.File) (*worker, error) {
	c, err := Connect(flows, t.Spill)
	if err != nil {
		return nil, err
	}
	files := append([]*os.File{os.Stdin, os.Stderr, os.Stderr}, c.Files()...)
	prepared := s.prepareGuard(t)
	p, err := os.StartProcess("/proc/self/exe", append([]string{os.Args[0]}, s.Worker...), &os.ProcAttr{Files: files})
	if err := errors.Join(c.Inherited(), err); err != nil {
		_ = (<-prepared).Close() // nobody takes it
		return nil, errors.Join(err, c.Close())
	}
	w := &worker{process: p, connection: c, received: make(chan *report.Report, 1)}
	go w.receive()
	// This waits for a worker that does not read. It fails if the worker has ended, which await tells.
	go func() { _ = c.Send(t, <-prepared) }()
	return w, nil
}

// receive takes the report in while the worker writes it: a pipe holds less than a report.
func (w *worker) receive() {
	r, err := w.connection.Receive()
	if err != nil {
		w.received <- nil
		return
	}
	w.received <- &r
}

// end is how a worker ended.
type end struct {
	status     syscall.WaitStatus
	stopSignal os.Signal     // it had been told to stop, by this signal
	overdue    bool          // it did not stop in time, so the supervisor killed it
	why        report.Reason // for the checks that it left open
	how        string        // if it was not even started
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

// await sees the worker to its end: passes signals on to it, lets it go when it has given its report, and sees to it
// that it ends in time.
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
			_ = w.process.Signal(s) // an error means that it has ended
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
