package supervisor

import (
	"os"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Task is one node's part of a plan, and how to carry it out. The worker gets it as one JSON document: see message.
type Task struct {
	Plan   *plan.Plan `json:"plan"` // has been validated
	Node   string     `json:"node"`
	Device string     `json:"device,omitempty"` // as in run.Options
	Guard  guard.Mode `json:"guard,omitempty"`  // as in run.Options
	// when the worker ends its flows, which Supervise sets; zero: when they are done
	Until time.Time `json:"until,omitzero"`
	Quiet bool      `json:"quiet,omitempty"` // the worker does not tell of its progress
	Spill *os.File  `json:"-"`               // takes the packets for a capture.File; nil: nobody wants them
}

// deadlines are how a run's time is divided, so that the report is there before the deadline even if the worker
// does not end at the end of its time.
type deadlines struct {
	until time.Time // the worker ends its flows
	kill  time.Time // the supervisor ends the worker
	last  time.Time // resetting ends
}

// stopWithin is the time that a worker has from the signal to stop to its death.
const stopWithin = 6 * time.Second

// deadlinesOf keeps a tenth of the time in reserve, 6 s at most: the engine takes up to 4 s to give up a flow that
// nobody answers.
func deadlinesOf(started time.Time, whole time.Duration) deadlines {
	reserve := min(whole/10, 6*time.Second)
	deadline := started.Add(whole)
	return deadlines{deadline.Add(-reserve), deadline.Add(-reserve / 3), deadline.Add(-reserve / 10)}
}
