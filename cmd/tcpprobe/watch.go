package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// watchOptions are the flags of `tcpprobe watch`.
type watchOptions struct {
	watch.Settings
	device string
	guard  string
	output string
}

func watchCommand() *cobra.Command {
	o := watchOptions{}
	cmd := &cobra.Command{
		Use:   "watch HOST:PORT",
		Short: "Watch all the time whether a target's paths lose segments at sequence 0",
		Long: "Asks every address that HOST has all the time, by pairs of old segments that the peer's kernel names and\n" +
			"its application never reads. A finding needs two connections from one port, each with a block whose chance is\n" +
			"1e-7 at most. Ends by ^C, SIGTERM or --for with a summary; no connection is left open. Needs root, or the\n" +
			"capabilities NET_ADMIN, NET_RAW and BPF.",
		Example: "  tcpprobe watch 10.1.2.3:443\n  tcpprobe watch 10.1.2.3:443 --hold --paths 16 -o json",
		Args:    oneArgument("HOST:PORT, as in 10.1.2.3:443"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&o.Paths, "paths", watch.DefaultPaths,
		fmt.Sprintf("connections, each from another source port and so perhaps over another path: 1 to %d", watch.MaxPaths))
	f.DurationVar(&o.Heartbeat, "heartbeat", watch.DefaultHeartbeat,
		fmt.Sprintf("time between two pairs on a path that is held: %s to %s", watch.MinHeartbeat, watch.MaxHeartbeat))
	f.StringSliceVar(&o.Variants, "variants", watch.Variants, "what is asked, in turn")
	f.BoolVar(&o.Hold, "hold", false,
		"hold the connections open: each takes a place of the application, so only with its owner's consent; without it "+
			"each is opened for a moment, every 10 s")
	f.DurationVar(&o.For, "for", 0, "end after this time (default: when it is stopped)")
	f.DurationVar(&o.ClearAfter, "clear-after", watch.DefaultClear,
		fmt.Sprintf("how long a path must be well again before its finding is cleared: %s to %s", watch.MinClear,
			watch.MaxClear))
	f.StringVar(&o.device, "source-interface", "", "send from this network device (default: the kernel's choice)")
	cli.GuardFlag(cmd, &o.guard)
	cli.OutputFlag(cmd, &o.output)
	return cmd
}

// check returns an error that names the flag.
func (o *watchOptions) check() error {
	value := map[error]string{watch.ErrPaths: fmt.Sprintf("--paths %d", o.Paths),
		watch.ErrHeartbeat: "--heartbeat " + o.Heartbeat.String(), watch.ErrClear: "--clear-after " + o.ClearAfter.String(),
		watch.ErrVariants: "--variants " + strings.Join(o.Variants, ","), watch.ErrFor: "--for " + o.For.String()}
	if err := o.Settings.Check(); err != nil {
		return fmt.Errorf("%s: %w", value[err], err)
	}
	return nil
}

func (o *watchOptions) run(cmd *cobra.Command, target string) error {
	if err := o.check(); err != nil {
		return err
	}
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
	view := newWatchView(cmd.OutOrStdout(), o.output, len(targets)*o.Paths)
	sum := watchSum{paths: len(targets) * o.Paths}
	s := supervisor.Supervisor{Worker: []string{cli.WatchWorkerCommandName}, LogError: cli.Complain,
		Reset: func(left []ledger.Entry) (int, int, error) { return run.ResetOrphans(left, o.device) }}
	node := hostname()
	started := time.Now()
	end := s.Watch(supervisor.Task{Plan: targetsOnly(node, targets), Node: node, Device: o.device,
		Guard: guard.Mode(o.guard), Watch: &o.Settings}, func(e watch.Event) {
		sum.add(e)
		view.show(e)
	})
	if sum.unable != "" {
		return errors.New(sum.unable)
	}
	last := sum.event(end, time.Since(started))
	view.show(last)
	if view.err != nil {
		return view.err
	}
	return cli.VerdictError(last.Verdict)
}

// targetsOnly is a plan with targets and nothing to ask.
func targetsOnly(node string, targets []netip.AddrPort) *plan.Plan {
	p := &plan.Plan{APIVersion: plan.APIVersion, Sources: map[string][]int{}}
	for i, t := range targets {
		p.Targets = append(p.Targets, plan.Target{Address: t.Addr(), Port: t.Port(), Via: "Address"})
		p.Sources[node] = append(p.Sources[node], i)
	}
	return p
}
