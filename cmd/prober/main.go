// Command prober runs inside a probe pod. It carries out one source's part of a plan.
//
//	prober --plan=/etc/tcpprobe/plan.json --source=NODE [--summary=/dev/termination-log] [--guard=tcx|clsact]
//	prober --version
//
// It is two processes of one binary, see package supervisor. Process 1 of the container reads the plan and writes the
// report. Its worker sends the packets.
//
// The full report goes to standard output as one line of JSON, progress and errors to standard error,
// the report's summary of at most 2,000 bytes to the termination message. Exit status 0: the summary
// is written, and the verdicts are in it. 1: no summary could be written. 2: the plan could not be
// used, and the summary, if there is one, says why.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// Exit statuses.
const (
	exitReported = iota
	exitSilent
	exitRefused
)

// workerCommand is the first argument of a worker process.
const workerCommand = "worker"

// version is set when the image is built.
var version string

func main() {
	os.Exit(command(os.Args[1:], run.Execute, resetOrphans))
}

// command is the whole program. The engine is a parameter.
func command(args []string, execute supervisor.Executor, reset resetter) int {
	if len(args) > 0 && args[0] == workerCommand {
		return status(supervisor.Work("prober", execute))
	}
	signal.Ignore(syscall.SIGPIPE) // if the reader of the log has gone, the summary must still be written
	o, usage, err := parseOptions(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Println(usage)
		return exitReported
	case err != nil:
		return status(err)
	case o.version:
		fmt.Println("tcpprobe prober", versionName())
		return exitReported
	}
	return carryOut(o, reset)
}

func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func status(err error) int {
	if err != nil {
		logError(err)
		return exitSilent
	}
	return exitReported
}

// logError prints an error. All errors are printed here.
func logError(err error) { fmt.Fprintln(os.Stderr, "prober:", err) }

// resetOrphans calls run.ResetOrphans with the kernel's routes, which the prober uses too.
func resetOrphans(orphans []ledger.Entry) (reset, left int, err error) {
	return run.ResetOrphans(orphans, "")
}

// resetter is the type of resetOrphans.
type resetter func([]ledger.Entry) (reset, left int, err error)
