package capture

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// openSpill opens a file that has no name, so that it is gone with the process, however that ends.
func openSpill(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".tcpprobe-*")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// publish leaves what write writes under the given name, whole or not at all.
func publish(name string, write func(io.Writer) error) error {
	err := publishFrom(name, unnamedFile, write)
	if errors.Is(err, errNeedsName) {
		err = publishFrom(name, namedFile, write)
	}
	return err
}

// atomicFile is a file that link gives the name it was opened for.
type atomicFile struct {
	*os.File
	link func() error
}

func publishFrom(name string, open func(string) (atomicFile, error), write func(io.Writer) error) error {
	temporary := filepath.Join(filepath.Dir(name), ".tcpprobe-"+strings.ToLower(rand.Text()))
	d, err := open(temporary)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(d, 1<<16)
	err = errors.Join(write(b), b.Flush())
	if err == nil {
		err = d.link()
	}
	if err = errors.Join(err, d.Close()); err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		_ = os.Remove(temporary) // it may have no name yet
	}
	return err
}

// errNeedsName means that the file system knows no files without a name.
var errNeedsName = errors.New("no file without a name")

// unnamedFile opens a file for its owner alone that gets its name by link: killed, it leaves nothing.
func unnamedFile(name string) (atomicFile, error) {
	fd, err := unix.Open(filepath.Dir(name), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return atomicFile{}, fmt.Errorf("%w: %w", errNeedsName, err)
	}
	self := fmt.Sprintf("/proc/self/fd/%d", fd)
	return atomicFile{os.NewFile(uintptr(fd), name), func() error {
		return unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	}}, nil
}

// namedFile opens a file for its owner alone that has its name from the start.
func namedFile(name string) (atomicFile, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return atomicFile{f, func() error { return nil }}, err
}
