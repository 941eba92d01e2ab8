// Command prober is what runs inside a probe pod: it carries out one source's part of a plan.
//
//	prober --plan=/etc/tcpprobe/plan.json --source=NODE [--summary=/dev/termination-log] [--guard=tcx|clsact]
//
// It is two processes of one binary. The supervisor, process 1 of the container, starts the worker,
// which sends the packets. The two share the ledger of live flows, so that whatever kills the worker, the
// supervisor can reset what it left at the targets and say what happened.
//
// The full report goes to standard output as one line of JSON, progress and errors to standard error,
// the report's summary of at most 2,000 bytes to the termination message. Exit status 0: the summary
// is written, and the verdicts are in it. 1: no summary could be written. 2: the plan could not be
// used, and the summary, if there is one, says why.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// Exit statuses.
const (
	exitReported = iota
	exitSilent
	exitRefused
)

// workerCommand is the first argument of a worker.
const workerCommand = "worker"

// The worker is told of its parent's death when the thread that started it ends: keep to the first.
func init() { runtime.LockOSThread() }

func main() {
	os.Exit(command(os.Args[1:], run.Execute, run.ResetLeft))
}

// command is the whole program but for the engine.
func command(args []string, execute executor, reset resetter) int {
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads any more must not cost the summary
	worker := len(args) > 0 && args[0] == workerCommand
	if worker {
		args = args[1:]
	}
	o, err := parseOrder(args, worker)
	switch {
	case err != nil:
		complain(err)
		return exitSilent
	case worker:
		err = work(o, execute)
	default:
		return supervise(o, reset)
	}
	if err != nil {
		complain(err)
		return exitSilent
	}
	return exitReported
}

// complain is the one place that errors are printed from.
func complain(err error) { fmt.Fprintln(os.Stderr, "prober:", err) }

// resetter is run.ResetLeft.
type resetter func([]ledger.Entry) (reset int, err error)
