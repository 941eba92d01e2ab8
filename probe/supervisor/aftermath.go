package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// aftermath is what is left to do when a worker did not end by itself.
type aftermath struct {
	Supervisor
	task    Task
	started time.Time
	times   deadlines
	flows   *ledger.Ledger
}

// close resets the flows that the worker left, and says what happened. The provisional report counts every flow
// as left: should time run out, it stands.
func (a aftermath) close(e end) report.Report {
	left := a.left()
	a.Complain(fmt.Errorf("%s; flows it left open: %d", e, len(left)))
	if a.Provisional != nil {
		a.Provisional(a.report(e, len(left), len(left)))
	}
	return a.report(e, len(left), len(left)-a.end(left))
}

// left are the flows in the ledger that the plan allows: a ledger spoilt by a crash must not direct
// resets elsewhere.
func (a aftermath) left() []ledger.Entry {
	return slices.DeleteFunc(a.flows.Live(), func(e ledger.Entry) bool { return !a.task.Plan.Allows(e.Remote) })
}

// end resets the flows and returns how many confirmed it in the time there is.
func (a aftermath) end(left []ledger.Entry) int {
	if len(left) == 0 {
		return 0
	}
	done := make(chan int, 1)
	go func() {
		n, err := a.Reset(left)
		if err != nil {
			a.Complain(fmt.Errorf("reset what the worker left: %w", err))
		}
		done <- n
	}()
	select {
	case n := <-done:
		return n
	case <-time.After(time.Until(a.times.last)):
		a.Complain(fmt.Errorf("reset what the worker left: no time left for %d flows", len(left)))
		return 0
	}
}

// report has no result but that the worker ended like this.
func (a aftermath) report(e end, left, leaked int) report.Report {
	r := report.Report{
		APIVersion: report.APIVersion, Run: a.task.Plan.Run, Source: report.Source{Node: a.task.Node},
		Started: a.started.UTC(), DurationMicros: time.Since(a.started).Microseconds(), LeakedFlows: leaked,
	}
	message := e.String()
	if left > 0 {
		message += fmt.Sprintf("; of %d flows it had open %d were reset", left, left-leaked)
	}
	r.Fill(a.task.Plan, e.why, message)
	return r
}
