package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func reportCommand() *cobra.Command {
	pcap := ""
	cmd := &cobra.Command{
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
			if pcap != "" {
				if err := capture.Extract(r, pcap); err != nil {
					return err
				}
			}
			return verdict(r.Verdict())
		},
	}
	cmd.Flags().StringVar(&pcap, "pcap", "", "write the packets that show what failed, which the report carries, to this `file` as pcapng, for Wireshark")
	return cmd
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
