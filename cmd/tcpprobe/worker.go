package main

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// order is what a worker is told to do; it answers with a report. Both are lines of JSON.
type order struct {
	Plan  *plan.Plan `json:"plan"`
	Guard guard.Mode `json:"guard,omitempty"`
}

// labNode is the name that the lab's client has in plans and reports.
const labNode = "client"

// workerCommand is how the lab probes from its client: a network namespace belongs to threads, a run has many, so it needs a
// process of its own that lives in the namespace from the start.
func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "Carry out plans from standard input",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			orders := json.NewDecoder(cmd.InOrStdin())
			for {
				var o order
				err := orders.Decode(&o)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				r := run.Execute(cmd.Context(), o.Plan, labNode, run.Options{GuardMode: o.Guard})
				if err := r.WriteLine(cmd.OutOrStdout()); err != nil {
					return err
				}
			}
		},
	}
}
