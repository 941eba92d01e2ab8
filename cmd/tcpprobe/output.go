package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

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

// Progress is told after a second, and so not at all of what is over within one, and then every five.
const (
	firstLine = time.Second
	moreLines = 5 * time.Second
)

// tell prints a line for people from time to time, until stop is called; line says how far the work is.
func tell(w io.Writer, line func() string) (stop func()) {
	started, next := time.Now(), time.NewTimer(firstLine)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-next.C:
				fmt.Fprintf(w, "%s after %.0f s\n", line(), time.Since(started).Seconds())
				next.Reset(moreLines)
			case <-done:
				return
			}
		}
	}()
	return func() {
		next.Stop()
		close(done)
		<-ended
	}
}

// counter is how many of a number of things are done.
type counter struct {
	mu          sync.Mutex
	done, total int
	what        string
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
}

func (c *counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d of %d %s", c.done, c.total, c.what)
}
