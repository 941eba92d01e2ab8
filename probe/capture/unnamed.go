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
	temporary := filepath.Join(filepath.Dir(name), ".tcpprobe-"+strings.ToLower(rand.Text()))
	f, link, err := create(temporary)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	err = errors.Join(write(b), b.Flush())
	if err == nil {
		err = link()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		_ = os.Remove(temporary) // it may have no name yet
	}
	return err
}

// create opens a file for its owner alone that gets its name by link; where the file system knows no such
// files, it has it from the start.
func create(name string) (f *os.File, link func() error, err error) {
	fd, err := unix.Open(filepath.Dir(name), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		f, err = os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		return f, func() error { return nil }, err
	}
	f = os.NewFile(uintptr(fd), name)
	self := fmt.Sprintf("/proc/self/fd/%d", fd)
	return f, func() error { return unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW) }, nil
}
