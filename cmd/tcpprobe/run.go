package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// runOptions are the flags of `tcpprobe run`.
type runOptions struct {
	question
	device string
	guard  string
	output string
	pcap   pcap
}

func runCommand() *cobra.Command {
	o := runOptions{question: question{packetsPerSecond: ordinaryRate}}
	cmd := &cobra.Command{
		Use:   "run HOST:PORT",
		Short: "Probe a target from this machine",
		Long: "Probes every address that HOST has and this machine can reach. Needs root, or the capabilities\n" +
			"NET_ADMIN, NET_RAW and BPF. Whatever ends it, the connections it opened are reset.",
		Example: "  tcpprobe run 10.1.2.3:443\n  tcpprobe run '[2001:db8::7]:8080' --scenario SequenceWrap/all --paths 64 -o json",
		Args:    oneArgument("HOST:PORT, as in 10.1.2.3:443"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.device, "source-interface", "", "send from this network device (default: the kernel's choice)")
	cmd.Flags().DurationVar(&o.deadline, "deadline", 0, "time for the whole run, after which what is missing is Inconclusive (default: ample for the number of flows, at most an hour)")
	guardFlag(cmd, &o.guard)
	outputFlag(cmd, &o.output)
	o.pcap.flag(cmd.Flags())
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
	p, err := o.plan(node, targets)
	if err != nil {
		return err
	}
	spill, err := o.pcap.begin()
	if err != nil {
		return err
	}
	defer o.pcap.discard()
	s := supervisor.Supervisor{Worker: []string{runWorker}, Complain: complain, PrepareGuard: prepareGuard,
		Reset: func(left []ledger.Entry) (int, error) { return run.ResetOrphans(left, o.device) }}
	r, told := s.Supervise(supervisor.Task{Plan: p, Node: node, Device: o.device, Guard: guard.Mode(o.guard), Spill: spill})
	if told != nil {
		return errors.New("interrupted")
	}
	o.pcap.about(r)
	if err := errors.Join(o.pcap.finish(), writeReport(cmd.OutOrStdout(), r, o.output)); err != nil {
		return err
	}
	return verdict(r.Verdict())
}

// prepareGuard makes the worker's guard while the worker's process starts, which saves as much time as that takes.
func prepareGuard(t supervisor.Task) *guard.Handover {
	return run.PrepareGuard(t.Plan, t.Node, run.Options{Device: t.Device, GuardMode: t.Guard})
}

// runWorker is the command of the process that sends the packets of `tcpprobe run`: see package supervisor.
const runWorker = "run-worker"

func runWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    runWorker,
		Short:  "Carry out the task of the process that started this one",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return supervisor.Work("tcpprobe", run.Execute) },
	}
}

// hostname names this machine in reports.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
