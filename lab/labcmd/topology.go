package labcmd

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
)

// topologyFlag is the flag for the network between the lab's client and server.
type topologyFlag string

func (n *topologyFlag) register(cmd *cobra.Command) {
	*n = topologyFlag(lab.Switched)
	var names []string
	for _, t := range lab.Topologies() {
		names = append(names, string(t))
	}
	cmd.Flags().Var(cli.OneOf((*string)(n), names...), "network", "what is between client and server")
}

// options returns the options of a lab with that topology.
func (n topologyFlag) options() lab.Options { return lab.Options{Topology: lab.Topology(n)} }

// topologyHelp describes the topologies for users.
func topologyHelp() string { return strings.Join(lab.TopologyHelp(), "\n  ") }
