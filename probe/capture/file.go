package capture

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// File is a capture that is being recorded. Until Finish there is no file of its name, or the older one stays.
type File struct {
	name  string
	spill *os.File
}

// Create begins a capture that Finish will write to the given name. It fails if no file can be made there, or if
// something other than a regular file has that name. Every File must be finished or discarded.
func Create(name string) (*File, error) {
	if err := checkRegularFile(name); err != nil {
		return nil, err
	}
	spill, err := openSpill(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("capture to %s: %w", name, err)
	}
	return &File{name, spill}, nil
}

// checkRegularFile returns an error if the name belongs to something other than a regular file.
func checkRegularFile(name string) error {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("capture to %s: it is no ordinary file; name one, or a new one", name)
	}
	return nil
}

// Spill is the temporary file that a Recorder writes to, in this process or in a child. It has no name and disappears
// with the last process that has it open.
func (f *File) Spill() *os.File { return f.spill }

// Finish sorts the recorded packets by time, adds the verdicts of the runs, and writes the file under its name. An
// older file of that name is replaced. Before Finish every process that recorded must have called Flush or have ended.
func (f *File) Finish(runs ...report.Report) error {
	err := publish(f.name, func(w io.Writer) error { return f.write(w, runs) })
	if err = errors.Join(err, f.spill.Close()); err != nil {
		return fmt.Errorf("capture to %s: %w", f.name, err)
	}
	return nil
}

func (f *File) write(w io.Writer, runs []report.Report) error {
	size, err := f.spill.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	found, left, err := indexPackets(bufio.NewReaderSize(io.NewSectionReader(f.spill, 0, size), 1<<16), maxPackets)
	if err != nil {
		return err
	}
	slices.SortStableFunc(found, func(a, b packetLocation) int { return cmp.Compare(a.nanos, b.nanos) })
	if _, err := w.Write(appendHead(nil, comment(runs, left), system(runs))); err != nil {
		return err
	}
	for _, p := range found {
		if _, err := io.Copy(w, io.NewSectionReader(f.spill, p.offset, p.size)); err != nil {
			return err
		}
	}
	return nil
}

// Discard drops the capture. After Finish it does nothing.
func (f *File) Discard() { _ = f.spill.Close() } // the error does not matter: the file is not read again

// system returns the kernel release of the runs.
func system(runs []report.Report) string {
	if len(runs) == 0 {
		return "Linux"
	}
	return "Linux " + runs[0].Kernel
}
