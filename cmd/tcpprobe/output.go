package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// oneArgument refuses anything but one argument, and says what it is.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s: want one %s; have %d arguments (see --help)", cmd.Name(), what, len(args))
		}
		return nil
	}
}

// choice is a flag with a few values.
type choice struct {
	value   *string
	allowed []string
}

func (c choice) String() string { return *c.value }
func (c choice) Type() string   { return strings.Join(c.allowed, "|") }
func (c choice) Set(v string) error {
	if !slices.Contains(c.allowed, v) {
		return fmt.Errorf("want %s", strings.Join(c.allowed, " or "))
	}
	*c.value = v
	return nil
}

// Formats of output.
const (
	table  = "table"
	asJSON = "json"
)

func outputFlag(cmd *cobra.Command, format *string) {
	*format = table
	cmd.Flags().VarP(choice{format, []string{table, asJSON}}, "output", "o", "output for people, or one line of JSON for programs")
}

func guardFlag(cmd *cobra.Command, mode *string) {
	cmd.Flags().Var(choice{mode, []string{"tcx", "clsact"}}, "guard", "hook of the eBPF guard (default: tcx where the kernel has it)")
}

func writeReport(w io.Writer, r report.Report, format string) error {
	if format == asJSON {
		return r.WriteLine(w)
	}
	return r.WriteTable(w)
}
