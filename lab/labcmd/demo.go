package labcmd

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// demoFault is the default fault of the lab.
const demoFault = "push-at-zero"

// runDemo probes through a healthy switch, and then through one that drops PSH at sequence 0. The command succeeds if
// the first probe passes and the second one finds the fault.
func (o *options) runDemo(cmd *cobra.Command, s *testbed) error {
	dropped, err := fault.Parse(demoFault)
	if err != nil {
		return err
	}
	healthy, err := o.probeAndWrite(cmd, s, nil)
	if err != nil {
		return err
	}
	if o.output == cli.Table {
		fmt.Fprint(cmd.OutOrStdout(),
			"\n--- Now the switch drops every segment that has PSH and starts at sequence number 0. ---\n\n")
	}
	broken, err := o.probeAndWrite(cmd, s, []fault.Fault{dropped})
	if err != nil {
		return err
	}
	switch {
	case healthy.Report.Verdict() != report.Pass:
		return fmt.Errorf("the %s server did not pass through the healthy switch: see above", o.server)
	case !slices.ContainsFunc(broken.Report.Results, lostAtZero):
		return fmt.Errorf("the fault was not found with the %s server: see above", o.server)
	}
	return nil
}

// asksAboutZero reports whether the plan has a check that can find the demo's fault.
func asksAboutZero(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Scenarios, func(s plan.Scenario) bool { return s.Type == "SequenceWrap" })
}

func (o *options) probeAndWrite(cmd *cobra.Command, s *testbed, faults []fault.Fault) (probeResult, error) {
	p, err := o.probe(cmd.Context(), s, faults)
	if err != nil {
		return p, err
	}
	return p, p.write(cmd.OutOrStdout(), o.output)
}

func lostAtZero(r report.Result) bool { return r.Reason == report.SequenceZeroDropped }
