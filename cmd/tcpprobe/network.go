package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/lab"
)

// network is the flag that says what is between the lab's client and server.
type network string

func (n *network) flag(cmd *cobra.Command) {
	*n = network(lab.Switched)
	var names []string
	for _, t := range lab.Topologies() {
		names = append(names, string(t))
	}
	cmd.Flags().Var(choice{(*string)(n), names}, "network", "what is between client and server")
}

// options are those of a lab with that network.
func (n network) options() lab.Options { return lab.Options{Topology: lab.Topology(n)} }

// networkHelp says what the networks are, for people.
func networkHelp() string { return strings.Join(lab.TopologyHelp(), "\n  ") }
