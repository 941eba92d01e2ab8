package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/capability"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// runOptions are the flags of `tcpprobe run`.
type runOptions struct {
	cli.ProbeFlags
	device string
	guard  string
	output string
	pcap   cli.CaptureFlag
}

func runCommand() *cobra.Command {
	o := runOptions{ProbeFlags: cli.ProbeFlags{PacketsPerSecond: cli.OrdinaryRate}}
	cmd := &cobra.Command{
		Use:   "run HOST:PORT",
		Short: "Probe a target from this machine",
		Long: "Probes every address that HOST has and this machine can reach. Needs root, or the capabilities\n" +
			"NET_ADMIN, NET_RAW and BPF. Whatever ends it, the connections it opened are reset. By ^C, SIGTERM or\n" +
			"--deadline it ends with a report of what was finished; the rest is Inconclusive.",
		Example: "  tcpprobe run 10.1.2.3:443\n  tcpprobe run '[2001:db8::7]:8080' --scenario SequenceWrap/all --paths 64 " +
			"-o json",
		Args: oneArgument("HOST:PORT, as in 10.1.2.3:443"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	o.Register(cmd)
	cmd.Flags().StringVar(&o.device, "source-interface", "",
		"send from this network device (default: the kernel's choice)")
	cmd.Flags().DurationVar(&o.Deadline, "deadline", 0,
		"time for the whole run, after which what is missing is Inconclusive (default: ample for the number of flows, at "+
			"most an hour)")
	cli.GuardFlag(cmd, &o.guard)
	cli.OutputFlag(cmd, &o.output)
	o.pcap.Register(cmd.Flags())
	return cmd
}

func (o *runOptions) run(cmd *cobra.Command, target string) error {
	addresses, err := resolve(cmd.Context(), target)
	if err != nil {
		return err
	}
	if err := permittedToProbe(); err != nil {
		return err
	}
	targets, err := reachable(addresses, o.device, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	node := hostname()
	p, err := o.Plan(node, targets)
	if err != nil {
		return err
	}
	spill, err := o.pcap.Begin()
	if err != nil {
		return err
	}
	defer o.pcap.Discard()
	s := supervisor.Supervisor{Worker: []string{cli.WorkerCommandName}, LogError: cli.Complain, PrepareGuard: prepareGuard,
		Reset: func(left []ledger.Entry) (int, int, error) { return run.ResetOrphans(left, o.device) }}
	r, _ := s.Supervise(supervisor.Task{Plan: p, Node: node, Device: o.device, Guard: guard.Mode(o.guard), Spill: spill})
	o.pcap.Add(r)
	if err := errors.Join(o.pcap.Finish(), writeReport(cmd.OutOrStdout(), r, o.output)); err != nil {
		return err
	}
	return cli.VerdictError(r.Verdict())
}

// prepareGuard makes the worker's guard while the worker's process starts, which saves that time.
func prepareGuard(t supervisor.Task) *guard.Handover {
	return run.PrepareGuard(t.Plan, t.Node, run.Options{Device: t.Device, GuardMode: t.Guard})
}

// hostname returns this machine's name for reports.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// permittedToProbe returns an error if capabilities are missing. `tcpprobe run` needs few of them, so they can be given
// to its file.
func permittedToProbe() error {
	return cli.RequireCapabilities(capability.Probing,
		", or once: sudo setcap cap_net_admin,cap_net_raw,cap_bpf+ep "+cli.Executable())
}
