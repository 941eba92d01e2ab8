// Package run executes a plan from one source. It opens the wires, attaches the guard, runs every scenario against
// every target, and ends all connections.
package run

import (
	"context"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Options are the settings of a run that are not in the plan.
type Options struct {
	// path of the network namespace to probe from; "" for that of the process's first thread
	Namespace string
	Device    string                // "" for the kernel's choice of route
	GuardMode guard.Mode            // "" for the best available
	Guard     *guard.Guard          // a guard that was made before; the run closes it. nil: the run makes one
	Ledger    *ledger.Ledger        // may be nil; then no process takes over after a crash
	EndBy     time.Time             // when flows must have been ended; zero: it does not matter
	Recorder  conn.Recorder         // gets every packet; may be nil
	Progress  func(done, total int) // after every result; may be nil
	// gets each result as soon as its check is over, in a partial report of its own; may be nil
	Finished func(report.Report)
}

// Execute runs the part of p that is for node. It has no error: checks that could not be carried out are Inconclusive.
// It sends nothing unless all threads of the process are in the network namespace to probe from. When ctx ends, Execute
// ends the flows, and missing results are DeadlineExceeded.
func Execute(ctx context.Context, p *plan.Plan, node string, o Options) report.Report {
	started := time.Now()
	SetGCPercent()
	r := report.Report{APIVersion: report.APIVersion, Run: p.Run, Source: report.Source{Node: node},
		Kernel: kernelRelease(), Started: started.UTC()}
	if err := checkNamespace(o.Namespace); err != nil {
		r.Fill(p, report.ProberFault, err.Error())
		return r
	}
	ending, stop := endingContext(ctx, o.EndBy)
	defer stop()
	h := &host{device: o.Device, mode: o.GuardMode, guard: o.Guard, ledger: o.Ledger, recorder: o.Recorder, run: ctx,
		ending: ending}
	job := newJob(p, node, o.Progress)
	if o.Finished != nil {
		job.finished = func(res report.Result) { o.Finished(job.partial(r, h, res)) }
	}
	var all sync.WaitGroup
	for position := range p.Sources[node] {
		all.Go(func() { job.target(ctx, h, position) })
	}
	all.Wait()
	job.conclude(ctx)
	h.close()
	r.Results, r.Guard = job.found(), job.guard
	r.LeakedFlows, r.UnconfirmedFlows = job.remains.Left, job.remains.Unknown
	r.Guard.Mode, r.Source.Address, r.SegmentsSent = string(h.attached), h.address, h.sent()+job.kernelSegments()
	r.KernelConnections = job.kernelConnections()
	r.Capture = capture.Excerpt(r, job.failures)
	r.DurationMicros = time.Since(started).Microseconds()
	return r
}
