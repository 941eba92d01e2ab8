package supervisor

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Task is one node's part of a plan, and how to carry it out. The worker gets it as one JSON document.
type Task struct {
	Plan   *plan.Plan `json:"plan"` // has been validated
	Node   string     `json:"node"`
	Device string     `json:"device,omitempty"` // as in run.Options
	Guard  guard.Mode `json:"guard,omitempty"`  // as in run.Options
	Until  time.Time  `json:"until"`            // when the worker ends its flows; Supervise sets it
	Spill  *os.File   `json:"-"`                // takes the packets for a capture.File; nil: nobody wants them
}

// taskDocument is a Task on its way to the worker, which inherits the spill.
type taskDocument struct {
	Task
	Spilled bool `json:"spilled,omitempty"`
}

func (t Task) write(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(taskDocument{t, t.Spill != nil}); err != nil {
		return fmt.Errorf("hand the task to the worker: %w", err)
	}
	return nil
}

func readTask(r io.Reader) (Task, error) {
	var d taskDocument
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return Task{}, fmt.Errorf("read the worker's task: %w; only a supervisor starts a worker", err)
	}
	if d.Spilled {
		d.Spill = os.NewFile(spillFD, "spill of a capture")
	}
	return d.Task, nil
}

// timetable is how a run's time is divided, so that the report is there before the deadline even if the worker
// does not end at the end of its time.
type timetable struct {
	until time.Time // the worker ends its flows
	kill  time.Time // the supervisor ends the worker
	last  time.Time // resetting ends
}

// stopWithin is the time that a worker has from the signal to stop to its death.
const stopWithin = 6 * time.Second

// timetableOf keeps a tenth of the time in reserve, 6 s at most: the engine takes up to 4 s to give up a flow that
// nobody answers.
func timetableOf(started time.Time, whole time.Duration) timetable {
	reserve := min(whole/10, 6*time.Second)
	deadline := started.Add(whole)
	return timetable{deadline.Add(-reserve), deadline.Add(-reserve / 3), deadline.Add(-reserve / 10)}
}
