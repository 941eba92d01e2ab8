package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "report FILE|-",
		Short:   "Show a report to people",
		Long:    "Reads a report as `tcpprobe run -o json` or a probe pod printed it; - is standard input.",
		Example: "  tcpprobe run 10.1.2.3:443 -o json >report.json; tcpprobe report report.json\n  kubectl logs -n tcpprobe-probes POD | tcpprobe report -",
		Args:    oneArgument("FILE, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readReport(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			if err := r.WriteTable(cmd.OutOrStdout()); err != nil {
				return err
			}
			return verdict(r.Verdict())
		},
	}
}

func readReport(stdin io.Reader, name string) (report.Report, error) {
	if name == "-" {
		return report.Read(withoutLog(stdin))
	}
	f, err := os.Open(name)
	if err != nil {
		return report.Report{}, err
	}
	defer f.Close()
	return report.Read(withoutLog(f))
}
