package labcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// worker is a process of this program in a lab's client namespace, which probes from there. It is a process of its own
// because a network namespace belongs to threads, and a run has several threads.
type worker struct {
	connection *supervisor.Connection
	spill      *os.File // nil if packets are not recorded
	exited     chan error
}

// clientNode is the name of the lab's client in plans and reports.
const clientNode = "client"

// patience is how long a worker may take to end its flows when the command is interrupted.
const patience = 10 * time.Second

// startWorker starts this program again inside the client's namespace. When ctx ends, the worker ends its flows and
// reports what it has. If there is a spill, it gets every packet that the worker sends and sees. There is no ledger,
// because the flows disappear with the lab.
func startWorker(ctx context.Context, l *lab.Lab, spill *os.File) (*worker, error) {
	c, err := supervisor.Connect(nil, spill)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", cli.WorkerCommandName)
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, c.Files()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	w := &worker{connection: c, spill: spill, exited: make(chan error, 1)}
	go func() {
		err := l.Client().Run(cmd)
		w.exited <- errors.Join(err, c.Inherited()) // so that Receive does not wait for a worker that has ended
	}()
	return w, nil
}

// execute makes the worker carry out a plan.
func (w *worker) execute(p *plan.Plan, mode guard.Mode) (report.Report, error) {
	t := supervisor.Task{Plan: p, Node: clientNode, Guard: mode, Quiet: true, Spill: w.spill}
	if err := w.connection.Send(t, nil); err != nil {
		return report.Report{}, fmt.Errorf("giving the lab's client its plan: %w", err)
	}
	r, err := w.connection.Receive()
	if err != nil {
		return r, fmt.Errorf("reading the report of the lab's client: %w", err)
	}
	return r, nil
}

// close ends the worker and waits for it.
func (w *worker) close() error {
	err := w.connection.Close()
	if exit := <-w.exited; exit != nil {
		err = errors.Join(err, fmt.Errorf("the probing process in the lab's client: %w", exit))
	}
	return err
}
