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

// File is a capture in the making. Nothing has the file's name, and what may be there stays, until Finish.
type File struct {
	name  string
	spill *os.File
}

// Create begins a capture that Finish will leave under the given name. It fails where no file could be
// made, and where something other than a file is. Every File must be finished or discarded.
func Create(name string) (*File, error) {
	if err := ordinary(name); err != nil {
		return nil, err
	}
	spill, err := openSpill(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("capture to %s: %w", name, err)
	}
	return &File{name, spill}, nil
}

// ordinary refuses to replace what is no ordinary file.
func ordinary(name string) error {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("capture to %s: it is no ordinary file; name one, or a new one", name)
	}
	return nil
}

// Spill is where a Recorder writes, in this process or a child of it. It has no name, and is gone with the
// processes that have it open.
func (f *File) Spill() *os.File { return f.spill }

// Finish completes the capture of the runs that the reports tell of, its packets in the order of time, and
// gives it its name. What had that name before is gone then. Whoever recorded must have called Flush, or have ended.
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
	found, left, err := indexPackets(bufio.NewReaderSize(io.NewSectionReader(f.spill, 0, size), 1<<16), mostPackets)
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

// Discard gives the capture up. After Finish it does nothing.
func (f *File) Discard() { _ = f.spill.Close() } // nobody will read it

// system is what the runs ran on.
func system(runs []report.Report) string {
	if len(runs) == 0 {
		return "Linux"
	}
	return "Linux " + runs[0].Kernel
}
