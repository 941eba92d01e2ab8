package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// recovery handles a worker that did not end by itself.
type recovery struct {
	Supervisor
	task    Task
	started time.Time
	times   deadlines
	flows   *ledger.Ledger
	// partial reports of the checks that the worker finished
	finished []report.Report
}

// close resets the flows that the worker left open, and returns a report about the worker's end. Before that it
// publishes a provisional report in which nothing is known of these flows. If there is no time to reset them, that
// report stays.
func (r recovery) close(e end) report.Report {
	left := r.orphans()
	r.LogError(fmt.Errorf("%s; flows it left open: %d", e, len(left)))
	if r.Provisional != nil {
		r.Provisional(r.report(e, len(left), resets{}))
	}
	return r.report(e, len(left), r.resetOrphans(left))
}

// orphans returns the flows in the ledger whose targets are in the plan. A crash may have corrupted the ledger, and
// resets must not be sent to other hosts.
func (r recovery) orphans() []ledger.Entry {
	return slices.DeleteFunc(r.flows.Live(), func(e ledger.Entry) bool { return !r.task.Plan.Allows(e.Remote) })
}

// resets is what became of flows that were reset. Of others nothing is known.
type resets struct{ confirmed, held int }

// resetOrphans resets the flows.
func (r recovery) resetOrphans(left []ledger.Entry) (n resets) {
	if len(left) == 0 {
		return n
	}
	done := make(chan resets, 1)
	go func() {
		confirmed, held, err := r.Reset(left)
		if err != nil {
			r.LogError(fmt.Errorf("reset what the worker left: %w", err))
		}
		done <- resets{confirmed, held}
	}()
	select {
	case n = <-done:
		return n
	case <-time.After(time.Until(r.times.last)):
		r.LogError(fmt.Errorf("reset what the worker left: no time left for %d flows", len(left)))
		return n
	}
}

// report returns a report in which every check that the worker did not finish has the worker's end as its reason.
func (r recovery) report(e end, left int, n resets) report.Report {
	out := report.Report{
		APIVersion: report.APIVersion, Run: r.task.Plan.Run, Source: report.Source{Node: r.task.Node},
		Started: r.started.UTC(), DurationMicros: time.Since(r.started).Microseconds(), Partial: true,
		LeakedFlows: n.held, UnconfirmedFlows: left - n.confirmed - n.held,
	}
	for _, f := range r.finished {
		out.Kernel, out.Guard, out.Source.Address = f.Kernel, f.Guard, f.Source.Address
		out.LeakedFlows, out.UnconfirmedFlows = n.held+f.LeakedFlows, left-n.confirmed-n.held+f.UnconfirmedFlows
		out.Results = append(out.Results, slices.DeleteFunc(slices.Clone(f.Results), interrupted)...)
	}
	message := e.String()
	if left > 0 {
		message += fmt.Sprintf("; of %d flows it had open %d were reset", left, n.confirmed)
	}
	out.Fill(r.task.Plan, e.why, message)
	out.CountUnfinished()
	return out
}

// interrupted reports whether a check was cut short. The worker's end says more of it than the engine.
func interrupted(r report.Result) bool { return r.Reason == report.DeadlineExceeded }
