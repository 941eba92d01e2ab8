package supervisor

import (
	"context"
	"errors"
	"fmt"
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

// Executor carries out a plan. run.Execute is the real one.
type Executor func(ctx context.Context, p *plan.Plan, node string, o run.Options) report.Report

// Work is the worker's main function. It carries out the tasks that its parent sends, one after the other, and returns
// a report for each. On SIGTERM, SIGINT, the parent's death and at the end of a task's time, the engine ends its flows
// in order, and missing results are Inconclusive. Progress is printed to standard error, each line after the given
// name.
func Work(name string, execute Executor) error {
	signal.Ignore(syscall.SIGPIPE) // the parent may be dead while flows still have to be ended
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	e := &executor{name: name, execute: execute, stopSignal: stopOnSignal(cancel), reports: os.NewFile(reportFD, "report")}
	tasks := make(chan assignment)
	ended := make(chan error, 1)
	go func() {
		ended <- receiveTasks(tasks)
		cancel()
	}()
	for {
		select {
		case a := <-tasks:
			if err := e.carryOut(ctx, a); err != nil {
				return err
			}
		case err := <-ended:
			return err
		}
	}
}

// receiveTasks passes on the parent's tasks until the parent closes the connection or dies.
func receiveTasks(tasks chan<- assignment) error {
	socket := os.NewFile(taskFD, "task")
	for {
		a, err := receiveTask(socket)
		if errors.Is(err, errNoTask) {
			return nil
		}
		if err != nil {
			return err
		}
		tasks <- a
	}
}

// executor carries out tasks.
type executor struct {
	name       string
	execute    Executor
	stopSignal func() os.Signal
	reports    *os.File
	flows      *ledger.Ledger    // nil if the parent shares none
	recorder   *capture.Recorder // nil until a task is recorded
}

func (e *executor) carryOut(ctx context.Context, a assignment) error {
	if !a.Until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, a.Until)
		defer cancel()
	}
	options, err := e.options(a)
	if err != nil {
		return err
	}
	stop := func() {}
	if !a.Quiet {
		done := progress.NewCounter(len(a.Plan.Sources[a.Node])*len(a.Plan.Checks()), "checks done")
		stop = progress.Print(os.Stderr, func() string { return e.name + ": " + done.String() })
		options.Progress = done.Set
	}
	r := e.execute(ctx, a.Plan, a.Node, options)
	stop()
	addMissingResults(ctx, &r, a.Plan, e.stopSignal())
	r.CountUnfinished()
	return errors.Join(e.recorder.Flush(), r.WriteWhole(e.reports))
}

// options returns the settings of a task's run. Ledger and recorder are used for all tasks.
func (e *executor) options(a assignment) (o run.Options, err error) {
	if a.Ledger && e.flows == nil {
		if e.flows, err = ledger.Open(os.NewFile(ledgerFD, "flow ledger")); err != nil {
			return o, err
		}
	}
	o = run.Options{Device: a.Device, GuardMode: a.Guard, Guard: a.guard, Ledger: e.flows, EndBy: a.EndBy}
	if a.Finished { // an error means that the parent is dead
		o.Finished = func(r report.Report) { _ = r.WriteWhole(e.reports) }
	}
	if a.Spilled {
		if e.recorder == nil {
			e.recorder = capture.NewRecorder(os.NewFile(spillFD, "spill of a capture"))
		}
		o.Recorder = e.recorder
	}
	return o, nil
}

// stopOnSignal calls stop at the first SIGTERM or SIGINT. The result is a function for that signal; nil means none
// came.
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

// addMissingResults adds the results of unfinished checks, and replaces the reason of interrupted ones: the engine
// knows only that its context has ended.
func addMissingResults(ctx context.Context, r *report.Report, p *plan.Plan, stopSignal os.Signal) {
	switch {
	case stopSignal != nil:
		why := fmt.Sprintf("the prober was told to stop (%s) before a verdict", stopSignal)
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
