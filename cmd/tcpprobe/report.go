package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func reportCommand() *cobra.Command {
	pcap := ""
	cmd := &cobra.Command{
		Use:   "report FILE|-",
		Short: "Show a report to people",
		Long:  "Reads what `tcpprobe run -o json`, `tcpprobe lab -o json` or a probe pod printed; - is standard input.",
		Example: "  tcpprobe run 10.1.2.3:443 -o json >report.json; tcpprobe report report.json\n  kubectl logs -n " +
			"tcpprobe-probes POD | tcpprobe report -",
		Args: oneArgument("FILE, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := openReports(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			if pcap != "" && len(all) > 1 {
				return fmt.Errorf("--pcap: %s holds %d reports; give one", args[0], len(all))
			}
			return show(cmd.OutOrStdout(), all, pcap)
		},
	}
	cmd.Flags().StringVar(&pcap, "pcap", "",
		"write the packets that show what failed, which the report carries, to this `file` as pcapng, for Wireshark")
	return cmd
}

// show prints all reports, and writes the capture of a single one. The worst verdict is the command's.
func show(w io.Writer, all []report.Report, pcap string) error {
	var results []report.Result
	for i, r := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := r.WriteTable(w); err != nil {
			return err
		}
		results = append(results, r.Results...)
	}
	if pcap != "" {
		if err := capture.Extract(all[0], pcap); err != nil {
			return err
		}
	}
	return cli.VerdictError(report.Report{Results: results}.Verdict())
}

func openReports(stdin io.Reader, name string) ([]report.Report, error) {
	if name == "-" {
		return readReports(withoutLog(stdin))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readReports(withoutLog(f))
}

// readReports reads one or more reports, bare or as `tcpprobe lab -o json` prints them.
func readReports(in io.Reader) (all []report.Report, err error) {
	documents := json.NewDecoder(in)
	for {
		var text json.RawMessage
		err := documents.Decode(&text)
		if errors.Is(err, io.EOF) && len(all) > 0 {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the report: not a whole JSON document: %w", err)
		}
		r, err := report.Read(bytes.NewReader(unwrapped(text)))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
}

// unwrapped returns the report inside the lab's output, or else the text itself.
func unwrapped(text json.RawMessage) json.RawMessage {
	var wrapped struct {
		APIVersion string
		Report     json.RawMessage
	}
	if json.Unmarshal(text, &wrapped) == nil && wrapped.APIVersion == "" && wrapped.Report != nil {
		return wrapped.Report
	}
	return text
}

func writeReport(w io.Writer, r report.Report, format string) error {
	if format == cli.JSON {
		return r.WriteLine(w)
	}
	return r.WriteTable(w)
}
