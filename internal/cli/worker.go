package cli

import (
	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// WorkerCommandName is the command of the process that sends the packets of `tcpprobe run` and `tcpprobe lab`. See
// package supervisor.
const WorkerCommandName = "run-worker"

// WatchWorkerCommandName is the command of the process that sends the packets of `tcpprobe watch`.
const WatchWorkerCommandName = "watch-worker"

// WatchWorkerCommand watches for the process that started this one.
func WatchWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    WatchWorkerCommandName,
		Short:  "Watch for the process that started this one",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return supervisor.WorkWatch(run.Watch) },
	}
}

// WorkerCommand runs the task of the parent process.
func WorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    WorkerCommandName,
		Short:  "Carry out the task of the process that started this one",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return supervisor.Work("tcpprobe", run.Execute) },
	}
}
