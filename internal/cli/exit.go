// Package cli has what the commands of tcpprobe have in common: the flags of a probe, output formats, exit statuses
// and the hidden command of the worker.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Exit statuses.
const (
	ExitPass = iota
	ExitFail
	ExitUnable
	ExitInconclusive
)

// Execute runs a command whose arguments are set, and returns the exit status.
func Execute(ctx context.Context, command *cobra.Command) int {
	err := command.ExecuteContext(ctx)
	var verdict verdictError
	switch {
	case err == nil:
		return ExitPass
	case errors.As(err, &verdict):
		return verdict.status()
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	Complain(err)
	return ExitUnable
}

// Complain prints an error. All errors are printed here.
func Complain(err error) { fmt.Fprintln(os.Stderr, "tcpprobe:", err) }

// verdictError is the result of a command that ran to its end. The verdict is the exit status.
type verdictError report.Verdict

func (o verdictError) Error() string { return "verdict " + string(o) }

func (o verdictError) status() int {
	switch report.Verdict(o) {
	case report.Pass:
		return ExitPass
	case report.Fail:
		return ExitFail
	}
	return ExitInconclusive
}

// VerdictError is what a command with this verdict returns.
func VerdictError(v report.Verdict) error {
	if v == report.Pass {
		return nil
	}
	return verdictError(v)
}
