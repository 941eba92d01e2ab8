// Command tcpprobe finds the TCP failures that ordinary probes cannot see, from a command line.
//
//	tcpprobe run HOST:PORT    probe a target from this machine
//	tcpprobe watch HOST:PORT  watch a target all the time
//	tcpprobe lab              a client, a switch that misbehaves and a server on this machine
//	tcpprobe report FILE|-    a report for people
//
// Installed as kubectl-tcpprobe it is `kubectl tcpprobe`. Exit status: 0 every verdict Pass, 1 some
// Fail, 2 the command could not be carried out, 3 some Inconclusive and none Fail.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab/labcmd"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // after a broken pipe, finish the capture and end the flows
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	status := execute(ctx, os.Args)
	stop()
	os.Exit(status)
}

// execute carries out one command line and returns the exit status.
func execute(ctx context.Context, args []string) int {
	root := rootCommand(filepath.Base(args[0]))
	root.SetArgs(args[1:])
	return cli.Execute(ctx, root)
}

func rootCommand(program string) *cobra.Command {
	root := &cobra.Command{
		Use:   "tcpprobe",
		Short: "Find the TCP failures that ordinary probes cannot see",
		Long: "Sends legal but suspicious TCP segments on purpose, such as one that starts at sequence number 0,\n" +
			"and says which of them a path loses.\n\n" +
			"Exit status: 0 every verdict Pass, 1 some Fail, 2 the command could not be carried out,\n" +
			"3 some Inconclusive and none Fail. A run that is stopped by ^C counts what it did not finish as Inconclusive.",
		Version:           version(),
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	if strings.HasPrefix(program, "kubectl-") {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl tcpprobe"}
	}
	root.AddCommand(runCommand(), watchCommand(), labcmd.Command(), reportCommand(), cli.WorkerCommand(),
		cli.WatchWorkerCommand())
	return root
}

// released is the version of a release. It is set when that is built.
var released string

// version returns the release's version, or what the Go toolchain wrote into the binary: the module's version, or that
// of the commit.
func version() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}

// oneArgument returns an error, with the meaning of the argument, unless there is exactly one.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s: want one %s; have %d arguments (see --help)", cmd.Name(), what, len(args))
		}
		return nil
	}
}
