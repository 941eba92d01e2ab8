package labcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// switchOptions are the flags of `tcpprobe lab switch`.
type switchOptions struct {
	netns  string
	port   string
	faults []string
	output string
}

func switchCommand() *cobra.Command {
	var o switchOptions
	cmd := &cobra.Command{
		Use:   "switch --port DEVICE --fault NAME",
		Short: "Make a network device drop packets until the command is ended",
		Long: "Attaches faults to a device, such as a bridge's port that stands for a switch's; prints a line when they " +
			"are at work and\n" +
			"their counters at the end. SIGINT or SIGTERM repairs the device; so does SIGKILL where the kernel has TCX " +
			"(Linux 6.6).\n\n" +
			"Faults: those of `tcpprobe lab` that drop.",
		Example: "  tcpprobe lab switch --netns fabric --port kn2 --fault push-at-zero",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.netns, "netns", "", "the device's network namespace, a name or a path (default: this process's)")
	f.StringVar(&o.port, "port", "", "the device")
	f.StringArrayVar(&o.faults, "fault", nil, "what it does; may be repeated")
	cli.OutputFlag(cmd, &o.output)
	for _, name := range []string{"port", "fault"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

func (o *switchOptions) run(cmd *cobra.Command) (err error) {
	faults, err := fault.ParseAll(o.faults)
	if err != nil {
		return err
	}
	var attached []*lab.Attached
	defer func() {
		for _, a := range attached {
			err = errors.Join(err, a.Close())
		}
	}()
	for _, f := range faults {
		a, err := lab.AttachFault(o.netns, o.port, f)
		if err != nil {
			return err
		}
		attached = append(attached, a)
	}
	if err := o.announce(cmd.OutOrStdout(), attached); err != nil {
		return err
	}
	<-cmd.Context().Done()
	return o.count(cmd.OutOrStdout(), attached)
}

// announce prints that the faults are active.
func (o *switchOptions) announce(w io.Writer, attached []*lab.Attached) error {
	if o.output == cli.JSON {
		return json.NewEncoder(w).Encode(map[string]any{"netns": o.netns, "port": o.port, "attached": o.faults,
			"mode": attached[0].Mode})
	}
	for _, a := range attached {
		fmt.Fprintf(w, "attached %s to %s (%s)\n", a.Fault, o.port, a.Mode)
	}
	return nil
}

// count prints what the faults did.
func (o *switchOptions) count(w io.Writer, attached []*lab.Attached) error {
	var all []lab.FaultCounters
	for _, a := range attached {
		c, err := a.Counters()
		if err != nil {
			return err
		}
		all = append(all, lab.FaultCounters{Fault: a.Fault, Counters: c})
	}
	if o.output == cli.JSON {
		return json.NewEncoder(w).Encode(map[string]any{"port": o.port, "switch": all})
	}
	for _, c := range all {
		fmt.Fprintf(w, "%s on %s: dropped %d of %d in, %d of %d out\n", c.Fault, o.port, c.In.Dropped, c.In.Seen,
			c.Out.Dropped, c.Out.Seen)
	}
	return nil
}
