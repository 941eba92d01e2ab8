package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// Executor is run.Execute.
type Executor func(ctx context.Context, p *plan.Plan, node string, o run.Options) report.Report

// Work is the worker's whole life: it carries out the task that its supervisor hands over and gives the report
// back. On SIGTERM, SIGINT, the supervisor's death and at the end of its time the engine ends its flows in an orderly way, and what is
// missing is Inconclusive. Progress goes to standard error, each line after the given name.
func Work(name string, execute Executor) error {
	signal.Ignore(syscall.SIGPIPE) // of a supervisor that is gone; the flows are still to be ended
	flows, err := ledger.Open(os.NewFile(ledgerFD, "flow ledger"))
	if err != nil {
		return fmt.Errorf("%w; only a supervisor starts a worker", err)
	}
	socket := os.NewFile(taskFD, "task")
	t, held, err := accept(socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), t.Until)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, socket) // until the supervisor is gone
		cancel()
	}()
	told := stopOnSignal(cancel)
	done := progress.NewCounter(len(t.Plan.Sources[t.Node])*len(t.Plan.Checks()), "checks done")
	stop := progress.Tell(os.Stderr, func() string { return name + ": " + done.String() })
	options := run.Options{Device: t.Device, GuardMode: t.Guard, Guard: held, Ledger: flows, Progress: done.Set}
	var recorder *capture.Recorder
	if t.Spill != nil {
		recorder = capture.NewRecorder(t.Spill)
		options.Recorder = recorder
	}
	r := execute(ctx, t.Plan, t.Node, options)
	stop()
	settle(ctx, &r, t.Plan, told())
	document := os.NewFile(reportFD, "report")
	return errors.Join(recorder.Flush(), r.WriteWhole(document), document.Close())
}

// stopOnSignal calls stop at the first signal to end. The function it returns tells which that was, nil if none.
func stopOnSignal(stop func()) func() os.Signal {
	signals := make(chan os.Signal, 1)
	first := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		first <- <-signals
		stop()
	}()
	return func() os.Signal {
		select {
		case s := <-first:
			return s
		default:
			return nil
		}
	}
}

// settle sees that every check has a result and the right reason for being cut short: the engine knows
// only that its context ended.
func settle(ctx context.Context, r *report.Report, p *plan.Plan, told os.Signal) {
	switch {
	case told != nil:
		why := fmt.Sprintf("the prober was told to stop (%s) before a verdict", told)
		for i, res := range r.Results {
			if res.Reason == report.DeadlineExceeded {
				r.Results[i].Reason, r.Results[i].Message = report.ProberKilled, why
			}
		}
		r.Fill(p, report.ProberKilled, why)
	case ctx.Err() != nil:
		r.Fill(p, report.DeadlineExceeded, "the run's deadline came before a verdict")
	default:
		r.Fill(p, report.ProberFault, "the engine gave no result")
	}
}
