package supervisor

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// Watched says how a watch ended.
type Watched struct {
	Fault string // why the worker did not end in order; "" if it did
	Left  int    // connections that it left open
	Reset int    // those of them that their peers showed to hold no longer
	Held  int    // those that their peers showed to hold still
}

// always is longer than any watch.
const always = 100 * 365 * 24 * time.Hour

// Watch starts a worker that watches the task's targets, and passes its events on, one at a time. On SIGTERM or SIGINT
// it tells the worker to stop. If the worker is killed, it resets the connections that are left, as Supervise does.
func (s Supervisor) Watch(t Task, each func(watch.Event)) Watched {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	flows, file, err := ledger.Create()
	if err != nil {
		return Watched{Fault: err.Error()}
	}
	defer file.Close()
	w, err := s.start(t, file, func(w *worker) { w.pass(each) })
	if err != nil {
		return Watched{Fault: fmt.Sprintf("the worker could not be started: %v", err)}
	}
	e := w.await(deadlines{kill: time.Now().Add(always)}, signals)
	var out Watched
	if !e.status.Exited() || e.status.ExitStatus() != 0 {
		out.Fault = e.String()
	}
	r := recovery{Supervisor: s, task: t, flows: flows, times: deadlines{last: time.Now().Add(stopWithin)}}
	left := r.orphans()
	reset := r.resetOrphans(left)
	out.Left, out.Reset, out.Held = len(left), reset.confirmed, reset.held
	return out
}

// pass passes on the worker's events until there are no more.
func (w *worker) pass(each func(watch.Event)) {
	for events := json.NewDecoder(w.connection.reports); ; {
		var e watch.Event
		if events.Decode(&e) != nil {
			w.received <- nil
			return
		}
		each(e)
	}
}
