package supervisor

import (
	"os"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// Task is one node's part of a plan with the settings of the run. It is sent to the worker as one JSON document: see
// message.
type Task struct {
	Plan   *plan.Plan `json:"plan"` // already validated
	Node   string     `json:"node"`
	Device string     `json:"device,omitempty"` // as in run.Options
	Guard  guard.Mode `json:"guard,omitempty"`  // as in run.Options
	// when the worker must end its flows; Supervise sets it. Zero: no limit
	Until time.Time `json:"until,omitzero"`
	EndBy time.Time `json:"endBy,omitzero"` // as in run.Options; Supervise sets it
	// the worker sends each result as soon as it is there; Supervise sets it
	Finished bool `json:"finished,omitempty"`
	Quiet    bool `json:"quiet,omitempty"` // the worker prints no progress
	// the worker watches the plan's targets, and does nothing else with the plan; nil: it carries out the plan
	Watch *watch.Settings `json:"watch,omitempty"`
	Spill *os.File        `json:"-"` // gets the packets for a capture.File; may be nil
}

// deadlines divides a run's time so that the report is ready before the deadline, even if the worker does not end in
// time.
type deadlines struct {
	until time.Time // the worker ends its flows
	endBy time.Time // the flows have ended: then the worker only reports
	kill  time.Time // the supervisor kills the worker
	last  time.Time // resetting of flows ends
}

// stopWithin is the time between the signal to stop and the worker's being killed.
const stopWithin = 6 * time.Second

// deadlinesOf reserves a tenth of the time, at most 6 s. A third of that is for the end of the flows, and a third for
// the report. In the last one the supervisor resets what a killed worker left.
func deadlinesOf(started time.Time, whole time.Duration) deadlines {
	reserve := min(whole/10, 6*time.Second)
	deadline := started.Add(whole)
	return deadlines{until: deadline.Add(-reserve), endBy: deadline.Add(-2 * reserve / 3),
		kill: deadline.Add(-reserve / 3), last: deadline.Add(-reserve / 10)}
}
