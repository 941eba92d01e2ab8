package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// end is how a worker ended.
type end struct {
	status  syscall.WaitStatus
	told    os.Signal     // it had been told to stop, by this signal
	overdue bool          // it did not stop in time, so the supervisor killed it
	why     report.Reason // for the checks that it left open
	how     string        // if it was not even started
}

// clean reports whether the worker ended by itself, its summary written.
func (e end) clean() bool { return e.how == "" && e.status.Exited() && e.status.ExitStatus() == 0 }

func (e end) String() string {
	switch {
	case e.how != "":
		return e.how
	case e.overdue && e.told != nil:
		return fmt.Sprintf("the worker was told to stop (%s), did not, and was killed", e.told)
	case e.overdue:
		return "the worker did not end at the deadline and was killed"
	case e.status.Signaled():
		return fmt.Sprintf("the worker was killed by signal %d (%s)", e.status.Signal(), e.status.Signal())
	default:
		return fmt.Sprintf("the worker ended with status %d; its last words are in the pod's log", e.status.ExitStatus())
	}
}

// aftermath is what is left to do when a worker did not end by itself.
type aftermath struct {
	order   order
	plan    *plan.Plan
	started time.Time
	times   timetable
	flows   *ledger.Ledger
	reset   resetter
}

// close says what happened and resets the flows that the worker left. The summary is written before and
// after: should time run out, the first one stands, with every flow counted as left.
func (a aftermath) close(e end) int {
	left := a.left()
	complain(fmt.Errorf("%s; flows it left open: %d", e, len(left)))
	if a.reported() {
		a.end(left)
		return exitReported
	}
	if err := writeSummary(a.order.summary, report.Summarize(a.report(e, len(left), len(left)), a.plan)); err != nil {
		complain(err)
		a.end(left)
		return exitSilent
	}
	r := a.report(e, len(left), len(left)-a.end(left))
	if err := writeSummary(a.order.summary, report.Summarize(r, a.plan)); err != nil {
		complain(err)
	}
	if err := r.WriteLine(os.Stdout); err != nil {
		complain(err)
	}
	return exitReported
}

// left are the flows in the ledger that the plan allows: a ledger spoilt by a crash must not direct
// resets elsewhere.
func (a aftermath) left() []ledger.Entry {
	return slices.DeleteFunc(a.flows.Live(), func(e ledger.Entry) bool { return !a.plan.Allows(e.Remote) })
}

// reported tells whether the worker got as far as a whole summary of this run before it died.
func (a aftermath) reported() bool {
	b, err := readAtMost(a.order.summary, report.MaxSummary)
	if err != nil {
		return false
	}
	_, err = report.DecodeSummary(b, a.plan, a.order.source)
	return err == nil
}

// end resets the flows and returns how many confirmed it in the time there is.
func (a aftermath) end(left []ledger.Entry) int {
	if len(left) == 0 {
		return 0
	}
	done := make(chan int, 1)
	go func() {
		n, err := a.reset(left)
		if err != nil {
			complain(fmt.Errorf("reset what the worker left: %w", err))
		}
		done <- n
	}()
	select {
	case n := <-done:
		return n
	case <-time.After(time.Until(a.times.last)):
		complain(fmt.Errorf("reset what the worker left: no time left for %d flows", len(left)))
		return 0
	}
}

// report has no result but that the worker ended like this.
func (a aftermath) report(e end, left, leaked int) report.Report {
	r := report.Report{
		APIVersion: report.APIVersion, Run: a.plan.Run, Source: report.Source{Node: a.order.source},
		Started: a.started.UTC(), DurationMicros: time.Since(a.started).Microseconds(), LeakedFlows: leaked,
	}
	message := e.String()
	if left > 0 {
		message += fmt.Sprintf("; of %d flows it had open %d were reset", left, left-leaked)
	}
	r.Fill(a.plan, e.why, message)
	return r
}
