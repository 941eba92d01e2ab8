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

// openSpill opens a file without a name. The kernel removes it when the last process that has it open ends, also after
// a crash.
func openSpill(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".tcpprobe-*")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// publish writes a file under the given name. If writing fails, no part of the new file is left and an older file
// stays.
func publish(name string, write func(io.Writer) error) error {
	err := publishFrom(name, unnamedFile, write)
	if errors.Is(err, errNeedsName) {
		err = publishFrom(name, namedFile, write)
	}
	return err
}

// atomicFile is an open file. Its link function gives it the final name.
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
		_ = os.Remove(temporary) // an unnamed file has no temporary name to remove
	}
	return err
}

// errNeedsName means that the file system does not support O_TMPFILE, as network file systems do not.
var errNeedsName = errors.New("no file without a name")

// unnamedFile opens a file with O_TMPFILE that only its owner may read. link names it. If the process is killed before
// that, nothing is left.
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

// namedFile opens a file under a temporary name that only its owner may read, for file systems without O_TMPFILE.
func namedFile(name string) (atomicFile, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return atomicFile{f, func() error { return nil }}, err
}
