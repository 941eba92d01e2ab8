package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is a flag that takes one of a few values.
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

// OneOf is a flag whose value is one of those allowed.
func OneOf(value *string, allowed ...string) pflag.Value { return choice{value, allowed} }

// Formats of output.
const (
	Table = "table"
	JSON  = "json"
)

// OutputFlag adds --output.
func OutputFlag(cmd *cobra.Command, format *string) {
	*format = Table
	cmd.Flags().VarP(OneOf(format, Table, JSON), "output", "o", "output for people, or one line of JSON for programs")
}

// GuardFlag adds --guard.
func GuardFlag(cmd *cobra.Command, mode *string) {
	cmd.Flags().Var(OneOf(mode, "tcx", "clsact"), "guard", "hook of the eBPF guard (default: tcx where the kernel has it)")
}
