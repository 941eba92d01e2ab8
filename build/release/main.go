// Command release completes a release in a folder: it packs the chart, lists what the programs are made of, and writes
// the checksums of all files.
//
//	release -version 1.2.3 -time 1767225600 -chart charts/tcpprobe -output dist -programs bin
//
// The same files, version and time give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// release is what is made and from what.
type release struct {
	version  string
	time     time.Time // of the commit
	chart    string    // folder
	programs string    // folder with OS-ARCH/PROGRAM
	output   string    // folder
}

func main() {
	r := release{}
	flag.StringVar(&r.version, "version", "", "version, as https://semver.org has it")
	seconds := flag.Int64("time", 0, "seconds since 1970 that the files carry")
	flag.StringVar(&r.chart, "chart", "", "folder of the chart")
	flag.StringVar(&r.programs, "programs", "", "folder with a folder of programs for each platform")
	flag.StringVar(&r.output, "output", "", "folder to write to")
	flag.Parse()
	r.time = time.Unix(*seconds, 0).UTC()
	if err := r.write(); err != nil {
		fmt.Fprintf(os.Stderr, "release %s not complete: %v\n", r.version, err)
		os.Exit(1)
	}
}

func (r release) write() error {
	chart, err := r.packChart()
	if err != nil {
		return fmt.Errorf("packing the chart: %w", err)
	}
	if err := r.put("tcpprobe-"+r.version+".tgz", chart); err != nil {
		return err
	}
	bill, err := r.billOfMaterials()
	if err != nil {
		return fmt.Errorf("listing what the programs are made of: %w", err)
	}
	if err := r.put("tcpprobe-"+r.version+".spdx.json", bill); err != nil {
		return err
	}
	sums, err := checksums(r.output)
	if err != nil {
		return fmt.Errorf("writing the checksums: %w", err)
	}
	return r.put(sumsFile, sums)
}

func (r release) put(name string, content []byte) error {
	return os.WriteFile(filepath.Join(r.output, name), content, 0o644)
}
