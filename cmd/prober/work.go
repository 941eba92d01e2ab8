package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// ledgerFD is where the worker finds the ledger: behind the three standard files.
const ledgerFD = 3

// executor is run.Execute.
type executor func(ctx context.Context, p *plan.Plan, node string, o run.Options) report.Report

// work carries out the plan and writes summary and report. On SIGTERM, SIGINT and at the end of its
// time the engine ends its flows in an orderly way, and what is missing is Inconclusive. An error means that no
// summary was written.
func work(o order, execute executor) error {
	flows, err := ledger.Open(os.NewFile(ledgerFD, "flow ledger"))
	if err != nil {
		return err
	}
	p, err := o.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), o.until)
	defer cancel()
	told := stopOnSignal(cancel)
	r := execute(ctx, p, o.source, run.Options{GuardMode: o.guard, Ledger: flows, Progress: progressTo(os.Stderr, time.Now)})
	settle(ctx, &r, p, told())
	if err := writeSummary(o.summary, report.Summarize(r, p)); err != nil {
		return err
	}
	return r.WriteLine(os.Stdout)
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

// writeSummary leaves s where the kubelet collects it as the container's termination message.
func writeSummary(path string, s report.Summary) error {
	if err := os.WriteFile(path, s.Encode(), 0o644); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}
