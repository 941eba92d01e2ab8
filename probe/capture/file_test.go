package capture

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// record records the packets, finishes the file and returns its bytes.
func record(t *testing.T, name string, packets []conn.Record, runs ...report.Report) []byte {
	t.Helper()
	f, err := Create(name)
	if err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(f.Spill())
	for _, p := range packets {
		r.Record(p)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish(runs...); err != nil {
		t.Fatal(err)
	}
	return read(t, name)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// names returns the names of the files in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// testdata/run.hex is the file of the example, one block a line. tshark reads it, see TestNetGoldenFile.
func TestFileEqualsTheGoldenFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.pcapng")
	got := record(t, name, example(), exampleReport(finding()))
	if want := golden(t); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", dump(got), dump(want))
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v, want a file that its owner alone may read", info.Mode(), err)
	}
	if err := Check(got); err != nil {
		t.Error(err)
	}
}

func golden(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(read(t, "testdata/run.hex"))), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dump is one line of hexadecimal digits a block.
func dump(b []byte) string {
	var out strings.Builder
	for len(b) > 8 {
		size := min(int(little.Uint32(b[4:])), len(b))
		out.WriteString(hex.EncodeToString(b[:size]) + "\n")
		b = b[size:]
	}
	return out.String()
}

func TestPeerPayloadIsNotInTheFile(t *testing.T) {
	got := record(t, filepath.Join(t.TempDir(), "run.pcapng"), example())
	if strings.Contains(string(got), "what a peer says") {
		t.Error("a peer's payload is in the file")
	}
	for _, own := range []string{"GET /", "index", "abcde"} {
		if !strings.Contains(string(got), own) {
			t.Errorf("the payload %q that was sent is not in the file", own)
		}
	}
}

func TestExistingFileStaysUntilTheRunEnds(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "run.pcapng")
	if err := os.WriteFile(name, []byte("older"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 1 || string(read(t, name)) != "older" {
		t.Errorf("during the run: %v, %q", got, read(t, name))
	}
	f.Discard()
	f.Discard()
	if got := names(t, dir); len(got) != 1 || string(read(t, name)) != "older" {
		t.Errorf("given up: %v, %q", got, read(t, name))
	}
	if got := record(t, name, example()); Check(got) != nil || len(names(t, dir)) != 1 {
		t.Errorf("at the end: %v, %v", Check(got), names(t, dir))
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "not", "there"), dir, "/dev/null", link, "/proc/run.pcapng"} {
		if f, err := Create(name); err == nil {
			f.Discard()
			t.Errorf("%s was accepted", name)
		} else if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// The folder may be removed while the run lasts.
func TestFileThatCannotBeWrittenLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := Create(filepath.Join(dir, "run.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish(); err == nil || !strings.Contains(err.Error(), "run.pcapng") {
		t.Errorf("finish: %v", err)
	}
	if _, err := f.Spill().Stat(); err == nil {
		t.Error("the spill is still open")
	}
}

// Publishing works in the same way with O_TMPFILE and on file systems without it: the file is complete or missing.
func TestPublishing(t *testing.T) {
	for how, open := range map[string]func(string) (atomicFile, error){"unnamed": unnamedFile, "named": namedFile} {
		dir := t.TempDir()
		name := filepath.Join(dir, "run.pcapng")
		write := func(w io.Writer) error { _, err := w.Write([]byte("whole")); return err }
		if err := publishFrom(name, open, write); err != nil || string(read(t, name)) != "whole" || len(names(t, dir)) != 1 {
			t.Errorf("%s: %v, %v", how, names(t, dir), err)
		}
		broken := errors.New("disk full")
		fail := func(w io.Writer) error { return errors.Join(write(w), broken) }
		if err := publishFrom(name, open, fail); !errors.Is(err, broken) || string(read(t, name)) != "whole" ||
			len(names(t, dir)) != 1 {
			t.Errorf("%s, failing: %v, %v", how, names(t, dir), err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", how, info.Mode(), err)
		}
	}
}

func TestFlushReturnsTheError(t *testing.T) {
	f, err := Create(filepath.Join(t.TempDir(), "run.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	r := NewRecorder(f.Spill())
	r.Record(example()[0])
	if err := r.Flush(); err == nil {
		t.Error("no error of a spill that is closed")
	}
}

func TestConcurrentRecording(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.pcapng")
	f, err := Create(name)
	if err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(f.Spill())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				for _, p := range example() {
					r.Record(p)
				}
			}
		})
	}
	all.Wait()
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Finish(exampleReport()); err != nil {
		t.Fatal(err)
	}
	b := read(t, name)
	if err := Check(b); err != nil {
		t.Fatal(err)
	}
	if n, want := strings.Count(dump(b), "\n"), 2+8*50*len(example()); n != want {
		t.Errorf("%d blocks, want %d", n, want)
	}
}
