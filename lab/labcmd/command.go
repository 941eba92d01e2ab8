// Package labcmd implements the command `tcpprobe lab`: a probe through a switch with given faults, a demo, campaigns
// of many probes, and a test of the whole catalogue of faults.
package labcmd

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/capability"
)

// options are the flags of `tcpprobe lab`.
type options struct {
	cli.ProbeFlags
	faults   []string
	family   string
	server   string
	topology topologyFlag
	guard    string
	output   string
	pcap     cli.CaptureFlag
	campaignOptions
	catalogue bool
	truth     bool
}

// Command returns the command `tcpprobe lab`.
func Command() *cobra.Command {
	o := options{ProbeFlags: cli.ProbeFlags{PacketsPerSecond: 2000}} // no other traffic uses this network
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Probe through a switch that misbehaves, all on this machine",
		Long: "Makes a client, a switch and a server in network namespaces, and probes one from the other. Without " +
			"--fault the\n" +
			"switch is healthy, and then, for SequenceWrap, drops segments with PSH at sequence 0. Needs root; " +
			"leaves nothing behind.\n\n" +
			"Exit status, without --fault: 0 if the server passed and the fault was found, else 2; of a campaign: 0 if no\n" +
			"verdict was wrong but by the stated chance, and nothing was left at the server, else 1; " +
			"of the catalogue: 0 if all that\n" +
			"must be convicted was, nothing else was, and 95 % of the rules got their right name, else 1; " +
			"with --truth: 0 if no\n" +
			"verdict contradicts what the kernel's own connections suffer, else 1.\n\nFaults:\n  " +
			strings.Join(fault.Help(), "\n  ") + "\n\nNetworks:\n  " + topologyHelp(),
		Example: "  tcpprobe lab\n  tcpprobe lab --fault fin-push-rst-at-zero --fault loss=1%\n  tcpprobe lab --campaign " +
			"--alpha 1e-7\n" +
			"  tcpprobe lab --campaign --with push-at-zero\n" +
			"  tcpprobe lab --campaign --seeds 200 --paths 108 --fault ecmp=16/1:push-at-zero",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.RequireCapabilities(labCapabilities, ""); err != nil {
				return err
			}
			if o.campaign && o.pcap.Name != "" {
				return errors.New("--pcap is about single runs: leave --campaign out")
			}
			if (o.catalogue || o.campaign) && !cmd.Flags().Changed("kernel-connections") {
				o.KernelConnections = false // they are about the engine
			}
			switch {
			case o.truth: // refuses the others
				return o.runTruth(cmd)
			case o.catalogue:
				return o.runCatalogue(cmd)
			case o.campaign:
				return o.runCampaign(cmd)
			}
			if err := o.onlyOfCampaigns(cmd.Flags()); err != nil {
				return err
			}
			return o.runProbe(cmd)
		},
	}
	o.register(cmd)
	cmd.AddCommand(switchCommand())
	return cmd
}

func (o *options) register(cmd *cobra.Command) {
	f := cmd.Flags()
	o.ProbeFlags.Register(cmd)
	o.family, o.server = "both", string(lab.Echo)
	var servers []string
	for _, s := range lab.Servers {
		servers = append(servers, string(s))
	}
	f.StringArrayVar(&o.faults, "fault", nil,
		"what the switch does, see above; repeated ones add up, in a campaign each is a round of its own")
	f.Var(cli.OneOf(&o.family, string(lab.IPv4), string(lab.IPv6), "both"), "family", "IP version to probe over")
	f.Var(cli.OneOf(&o.server, servers...), "server", "how the server answers")
	o.campaignOptions.flags(f)
	f.BoolVar(&o.catalogue, "catalogue", false,
		"go through each fault that drops by flags and number, and some others at sequence 0, and hold what is convicted "+
			"against what should be")
	f.BoolVar(&o.truth, "truth", false,
		"hold ordinary runs against what the kernel's own connections suffer behind each of many devices; --fault chooses "+
			"the devices, several faults of one with \" + \" between them")
	o.topology.register(cmd)
	cli.GuardFlag(cmd, &o.guard)
	cli.OutputFlag(cmd, &o.output)
	o.pcap.Register(f)
}

func (o *options) families() []lab.Family {
	if o.family == "both" {
		return lab.Families
	}
	return []lab.Family{lab.Family(o.family)}
}

// labCapabilities are the capabilities that network namespaces need, and those for probing.
var labCapabilities = append([]capability.Capability{capability.SysAdmin}, capability.Probing...)
