package cli

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/tcpprobe/tcpprobe/probe/capture"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// CaptureFlag is the flag --pcap and the capture that it asks for.
type CaptureFlag struct {
	Name string
	file *capture.File
	runs []report.Report
}

// Register adds the flag.
func (p *CaptureFlag) Register(f *pflag.FlagSet) {
	f.StringVar(&p.Name, "pcap", "",
		"write every packet of the crafted connections to this `file` as pcapng, for Wireshark")
}

// Begin creates the file and returns where packets are written. It returns nil without --pcap.
func (p *CaptureFlag) Begin() (spill *os.File, err error) {
	if p.Name == "" {
		return nil, nil
	}
	if p.file, err = capture.Create(p.Name); err != nil {
		return nil, err
	}
	return p.file.Spill(), nil
}

// Add adds the report of a run, for the file's comments.
func (p *CaptureFlag) Add(r report.Report) { p.runs = append(p.runs, r) }

// Finish completes the file.
func (p *CaptureFlag) Finish() error {
	if p.file == nil {
		return nil
	}
	defer progress.Print(os.Stderr, func() string { return "still writing the capture" })()
	return p.file.Finish(p.runs...)
}

// Discard removes an unfinished file.
func (p *CaptureFlag) Discard() {
	if p.file != nil {
		p.file.Discard()
	}
}
