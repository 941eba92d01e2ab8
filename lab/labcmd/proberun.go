package labcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// probeResult is the result of one probe of the lab's server through a switch with certain faults, as `-o json` prints
// it.
type probeResult struct {
	Faults []string            `json:"faults,omitempty"`
	Switch []lab.FaultCounters `json:"switch,omitempty"` // counters of the faults that drop
	Report report.Report       `json:"report"`
}

// runProbe probes once with the given faults, or runs the demo.
func (o *options) runProbe(cmd *cobra.Command) (err error) {
	faults, err := fault.ParseAll(o.faults)
	if err != nil {
		return err
	}
	p, err := o.Plan(clientNode, nil)
	if err != nil {
		return err
	}
	spill, err := o.pcap.Begin()
	if err != nil {
		return err
	}
	defer o.pcap.Discard()
	defer progress.Print(cmd.ErrOrStderr(), func() string { return "still probing through the switch" })()
	s, err := openTestbed(cmd.Context(), o.topology.options(), spill)
	if err != nil {
		return err
	}
	defer func() {
		if failed := s.close(); failed != nil {
			err = failed
		}
	}()
	if len(faults) == 0 && asksAboutZero(p) {
		err = o.runDemo(cmd, s)
	} else {
		err = o.showProbe(cmd, s, faults)
	}
	if cmd.Context().Err() != nil {
		return err
	}
	return errors.Join(err, o.pcap.Finish())
}

// showProbe probes once. Its verdict becomes the command's.
func (o *options) showProbe(cmd *cobra.Command, s *testbed, faults []fault.Fault) error {
	found, err := o.probe(cmd.Context(), s, faults)
	if err != nil {
		return err
	}
	if err := found.write(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	return cli.VerdictError(found.Report.Verdict())
}

// probe probes the chosen server through a switch with the faults.
func (o *options) probe(ctx context.Context, s *testbed, faults []fault.Fault) (p probeResult, err error) {
	injection, err := s.Inject(faults...)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, injection.Close()) }()
	if p.Report, err = o.ask(s); err != nil {
		return p, err
	}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	o.pcap.Add(p.Report)
	for _, f := range faults {
		p.Faults = append(p.Faults, f.Name)
	}
	p.Switch, err = injection.Counters()
	return p, err
}

// ask makes the worker probe the chosen server for the chosen families, with the switch as it is.
func (o *options) ask(s *testbed) (r report.Report, err error) {
	var targets []netip.AddrPort
	for _, f := range o.families() {
		targets = append(targets, s.Target(f, lab.Server(o.server)))
	}
	p, err := o.Plan(clientNode, targets)
	if err != nil {
		return r, err
	}
	return s.worker.execute(p, guard.Mode(o.guard))
}

func (p probeResult) write(w io.Writer, format string) error {
	if format == cli.JSON {
		return json.NewEncoder(w).Encode(p)
	}
	if len(p.Faults) == 0 {
		fmt.Fprintln(w, "The switch is healthy.")
	}
	for _, c := range p.Switch {
		fmt.Fprintf(w, "Fault %s: the switch dropped %d of %d packets towards the server, %d of %d towards the client.\n",
			c.Fault, c.In.Dropped, c.In.Seen, c.Out.Dropped, c.Out.Seen)
	}
	fmt.Fprintln(w)
	return p.Report.WriteTable(w)
}
