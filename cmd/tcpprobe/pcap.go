package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// pcap is the capture that --pcap asks for, if it does.
type pcap struct {
	name string
	file *capture.File
	runs []report.Report
}

func (p *pcap) flag(f *pflag.FlagSet) {
	f.StringVar(&p.name, "pcap", "", "write every packet of the run to this `file` as pcapng, for Wireshark")
}

// begin sees that the file can be made, and returns what takes the packets; nil where nobody asked.
func (p *pcap) begin() (spill *os.File, err error) {
	if p.name == "" {
		return nil, nil
	}
	if p.file, err = capture.Create(p.name); err != nil {
		return nil, err
	}
	return p.file.Spill(), nil
}

// about adds what one of the runs in the file found.
func (p *pcap) about(r report.Report) { p.runs = append(p.runs, r) }

// finish completes the file.
func (p *pcap) finish() error {
	if p.file == nil {
		return nil
	}
	defer progress.Tell(os.Stderr, func() string { return "still writing the capture" })()
	return p.file.Finish(p.runs...)
}

// discard gives an unfinished file up.
func (p *pcap) discard() {
	if p.file != nil {
		p.file.Discard()
	}
}
