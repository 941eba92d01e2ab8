package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// Watcher watches targets. run.Watch is the real one.
type Watcher func(context.Context, *plan.Plan, string, watch.Settings, run.Options, func(watch.Event)) error

// WorkWatch is the main function of a worker that watches. It sends each event to its parent. On SIGTERM, SIGINT and
// the parent's death it ends its connections in order.
func WorkWatch(watcher Watcher) error {
	signal.Ignore(syscall.SIGPIPE) // the parent may be dead while flows still have to be ended
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopOnSignal(cancel)
	socket := os.NewFile(taskFD, "task")
	a, err := receiveTask(socket)
	if err != nil {
		return err
	}
	if a.Watch == nil {
		return errors.New("the worker's task is no watch; only a supervisor starts a worker")
	}
	go func() {
		_, _ = receiveTask(socket) // no further one comes: the parent is dead, or has closed the socket
		cancel()
	}()
	o := run.Options{Device: a.Device, GuardMode: a.Guard, Guard: a.guard}
	if a.Ledger {
		if o.Ledger, err = ledger.Open(os.NewFile(ledgerFD, "flow ledger")); err != nil {
			return err
		}
	}
	events := json.NewEncoder(os.NewFile(reportFD, "report"))
	each := func(e watch.Event) { _ = events.Encode(e) } // an error means that the parent is dead
	if err := watcher(ctx, a.Plan, a.Node, *a.Watch, o, each); err != nil {
		each(watch.Event{Kind: watch.Unable, Message: err.Error()})
	}
	return nil
}
