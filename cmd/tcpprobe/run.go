package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// runOptions are the flags of `tcpprobe run`.
type runOptions struct {
	question
	device string
	guard  string
	output string
}

func runCommand() *cobra.Command {
	o := runOptions{question: question{packetsPerSecond: ordinaryRate}}
	cmd := &cobra.Command{
		Use:   "run HOST:PORT",
		Short: "Probe a target from this machine",
		Long: "Probes every address that HOST has and this machine can reach. Needs root, or the capabilities\n" +
			"NET_ADMIN, NET_RAW and BPF.",
		Example: "  tcpprobe run 10.1.2.3:443\n  tcpprobe run '[2001:db8::7]:8080' --scenario SequenceWrap --paths 64 -o json",
		Args:    oneArgument("HOST:PORT, as in 10.1.2.3:443"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.device, "source-interface", "", "send from this network device (default: the kernel's choice)")
	guardFlag(cmd, &o.guard)
	outputFlag(cmd, &o.output)
	return cmd
}

func (o *runOptions) run(cmd *cobra.Command, target string) error {
	addresses, err := resolve(cmd.Context(), target)
	if err != nil {
		return err
	}
	if err := checkCapabilities(); err != nil {
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
	c := &counter{total: len(targets) * len(p.Checks()), what: "checks done"}
	stop := tell(cmd.ErrOrStderr(), c.String)
	r := run.Execute(cmd.Context(), p, node, run.Options{Device: o.device, GuardMode: guard.Mode(o.guard), Progress: func(int, int) { c.add(1) }})
	stop()
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	if err := writeReport(cmd.OutOrStdout(), r, o.output); err != nil {
		return err
	}
	return verdict(r.Verdict())
}

// hostname names this machine in reports.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// question is what is asked of the targets.
type question struct {
	scenarios        []string
	paths            int
	alpha            float64
	packetsPerSecond int // per target
}

// Defaults of a question: enough flows to meet one bad path of eight with 88 %, and the error that suits
// a run which a person watches.
const (
	defaultPaths = 16
	defaultAlpha = 1e-3
)

func (q *question) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&q.scenarios, "scenario", []string{"Handshake", "SequenceWrap"}, "what to ask: "+scenarioNames()+"; may be repeated")
	cmd.Flags().IntVar(&q.paths, "paths", defaultPaths, fmt.Sprintf("flows per target and scenario, each from another source port and so perhaps over another path: 1 to %d", plan.MaxPaths))
	cmd.Flags().Float64Var(&q.alpha, "alpha", defaultAlpha, "bound on the chance that a Fail is a false alarm: above 0, up to 0.1")
}
