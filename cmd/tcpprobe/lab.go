package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/tcpprobe/tcpprobe/lab/fault"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// labOptions are the flags of `tcpprobe lab`.
type labOptions struct {
	question
	faults  []string
	family  string
	server  string
	network network
	guard   string
	output  string
	pcap    pcap
	campaignOptions
	catalogue bool
}

func labCommand() *cobra.Command {
	o := labOptions{question: question{packetsPerSecond: 2000}} // nobody else is on this network
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Probe through a switch that misbehaves, all on this machine",
		Long: "Makes a client, a switch and a server in network namespaces, and probes one from the other. Without --fault the\n" +
			"switch is healthy, and then, for SequenceWrap, drops segments with PSH at sequence 0. Needs root; leaves nothing behind.\n\n" +
			"Exit status, without --fault: 0 if the server passed and the fault was found, else 2; of a campaign: 0 if no\n" +
			"verdict was wrong but by the stated chance, and nothing was left at the server, else 1; of the catalogue: 0 if all that\n" +
			"must be convicted was, nothing else was, and 95 % of the rules got their right name, else 1.\n\nFaults:\n  " +
			strings.Join(fault.Help(), "\n  ") + "\n\nNetworks:\n  " + networkHelp(),
		Example: "  tcpprobe lab\n  tcpprobe lab --fault fin-push-rst-at-zero --fault loss=1%\n  tcpprobe lab --campaign --alpha 1e-7\n  tcpprobe lab --campaign --with push-at-zero\n  tcpprobe lab --campaign --seeds 200 --paths 108 --fault ecmp=16/1:push-at-zero",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := permitted(forLab, ""); err != nil {
				return err
			}
			if o.campaign && o.pcap.name != "" {
				return errors.New("--pcap is about single runs: leave --campaign out")
			}
			switch {
			case o.catalogue:
				return o.runCatalogue(cmd)
			case o.campaign:
				return o.runCampaign(cmd)
			}
			if err := o.onlyOfCampaigns(cmd.Flags()); err != nil {
				return err
			}
			return o.runPasses(cmd)
		},
	}
	o.flags(cmd)
	cmd.AddCommand(switchCommand())
	return cmd
}

func (o *labOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.question.flags(cmd)
	o.family, o.server = "both", string(lab.Echo)
	var servers []string
	for _, s := range lab.Servers {
		servers = append(servers, string(s))
	}
	f.StringArrayVar(&o.faults, "fault", nil, "what the switch does, see above; repeated ones add up, in a campaign each is a round of its own")
	f.Var(choice{&o.family, []string{string(lab.IPv4), string(lab.IPv6), "both"}}, "family", "IP version to probe over")
	f.Var(choice{&o.server, servers}, "server", "how the server answers")
	o.campaignOptions.flags(f)
	f.BoolVar(&o.catalogue, "catalogue", false, "go through every rule that the switch knows, and hold what is convicted against what should be")
	o.network.flag(cmd)
	guardFlag(cmd, &o.guard)
	outputFlag(cmd, &o.output)
	o.pcap.flag(f)
}

func (o *labOptions) families() []lab.Family {
	if o.family == "both" {
		return lab.Families
	}
	return []lab.Family{lab.Family(o.family)}
}

// site is a lab with its servers running and a client ready to probe.
type site struct {
	*lab.Lab
	stop   func() error
	worker *worker
}

func openSite(ctx context.Context, o lab.Options, spill *os.File) (_ *site, err error) {
	s := &site{stop: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.Lab, err = lab.New(ctx, o); err != nil {
		return nil, err
	}
	if s.stop, err = s.Server().Serve(); err != nil {
		return nil, err
	}
	s.worker, err = startWorker(ctx, s.Lab, spill)
	return s, err
}

func (s *site) close() error {
	var errs []error
	if s.worker != nil {
		errs = append(errs, s.worker.close())
	}
	errs = append(errs, s.stop())
	if s.Lab != nil {
		errs = append(errs, s.Lab.Close())
	}
	return errors.Join(errs...)
}

// pass is one probe of the lab's server through a switch in one state, as `-o json` prints it.
type pass struct {
	Faults []string            `json:"faults,omitempty"`
	Switch []lab.FaultCounters `json:"switch,omitempty"` // of the faults that drop
	Report report.Report       `json:"report"`
}

// runPasses probes once with the given faults, or tells the whole story.
func (o *labOptions) runPasses(cmd *cobra.Command) (err error) {
	faults, err := fault.ParseAll(o.faults)
	if err != nil {
		return err
	}
	p, err := o.plan(clientNode, nil)
	if err != nil {
		return err
	}
	spill, err := o.pcap.begin()
	if err != nil {
		return err
	}
	defer o.pcap.discard()
	defer progress.Tell(cmd.ErrOrStderr(), func() string { return "still probing through the switch" })()
	s, err := openSite(cmd.Context(), o.network.options(), spill)
	if err != nil {
		return err
	}
	defer func() {
		if failed := s.close(); failed != nil {
			err = failed
		}
	}()
	if len(faults) == 0 && asksAboutZero(p) {
		err = o.tellStory(cmd, s)
	} else {
		err = o.showPass(cmd, s, faults)
	}
	if cmd.Context().Err() != nil {
		return err
	}
	return errors.Join(err, o.pcap.finish())
}

// showPass probes once, and what it found is what it returns.
func (o *labOptions) showPass(cmd *cobra.Command, s *site, faults []fault.Fault) error {
	found, err := o.pass(cmd.Context(), s, faults)
	if err != nil {
		return err
	}
	if err := found.write(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	return verdict(found.Report.Verdict())
}

// pass probes the chosen server through the switch while the faults last.
func (o *labOptions) pass(ctx context.Context, s *site, faults []fault.Fault) (p pass, err error) {
	injection, err := s.Inject(faults...)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, injection.Close()) }()
	var targets []netip.AddrPort
	for _, f := range o.families() {
		targets = append(targets, s.Target(f, lab.Server(o.server)))
	}
	plan, err := o.plan(clientNode, targets)
	if err != nil {
		return p, err
	}
	if p.Report, err = s.worker.execute(plan, guard.Mode(o.guard)); err != nil {
		return p, err
	}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	o.pcap.about(p.Report)
	for _, f := range faults {
		p.Faults = append(p.Faults, f.Name)
	}
	p.Switch, err = injection.Counters()
	return p, err
}

func (p pass) write(w io.Writer, format string) error {
	if format == asJSON {
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
