// Package cli is what the commands of tcpprobe have in common: the flags that say what to probe for, the forms of
// output, the exit statuses and the hidden command of the worker.
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

// Execute carries out a command whose arguments are set, and returns the exit status.
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

// Complain is the one place that errors are printed from.
func Complain(err error) { fmt.Fprintln(os.Stderr, "tcpprobe:", err) }

// verdictError is a command that was carried out, and whose verdict is its exit status.
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

// VerdictError turns a verdict into what a command returns.
func VerdictError(v report.Verdict) error {
	if v == report.Pass {
		return nil
	}
	return verdictError(v)
}
