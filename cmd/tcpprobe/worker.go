package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/run"
)

// order is what a worker is told to do; it answers with a report. Both are lines of JSON.
type order struct {
	Plan  *plan.Plan `json:"plan"`
	Guard guard.Mode `json:"guard,omitempty"`
}

// spillFD is where a worker that spills finds the file: behind the three standard ones.
const spillFD = 3

// labNode is the name that the lab's client has in plans and reports.
const labNode = "client"

// workerCommand is how the lab probes from its client: a network namespace belongs to threads, a run has many, so it needs a
// process of its own that lives in the namespace from the start.
func workerCommand() *cobra.Command {
	spilling := false
	var options run.Options
	cmd := &cobra.Command{
		Use:    "worker",
		Short:  "Carry out plans from standard input",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var recorder *capture.Recorder
			if spilling {
				recorder = capture.NewRecorder(os.NewFile(spillFD, "spill of a capture"))
				options.Recorder = recorder
			}
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
				options.GuardMode = o.Guard
				r := run.Execute(cmd.Context(), o.Plan, labNode, options)
				if err := errors.Join(recorder.Flush(), r.WriteLine(cmd.OutOrStdout())); err != nil {
					return err
				}
			}
		},
	}
	cmd.Flags().StringVar(&options.Namespace, "namespace", "", "path of the network namespace to be in")
	cmd.Flags().BoolVar(&spilling, "spilling", false, "record packets to file descriptor 3")
	return cmd
}
