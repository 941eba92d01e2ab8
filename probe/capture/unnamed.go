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
	err := publishFrom(name, unnamed, write)
	if errors.Is(err, errNeedsName) {
		err = publishFrom(name, named, write)
	}
	return err
}

// draft is a file that link gives the name it was opened for.
type draft struct {
	*os.File
	link func() error
}

func publishFrom(name string, open func(string) (draft, error), write func(io.Writer) error) error {
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

// unnamed opens a file for its owner alone that gets its name by link: killed, it leaves nothing.
func unnamed(name string) (draft, error) {
	fd, err := unix.Open(filepath.Dir(name), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return draft{}, fmt.Errorf("%w: %w", errNeedsName, err)
	}
	self := fmt.Sprintf("/proc/self/fd/%d", fd)
	return draft{os.NewFile(uintptr(fd), name), func() error {
		return unix.Linkat(unix.AT_FDCWD, self, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	}}, nil
}

// named opens a file for its owner alone that has its name from the start.
func named(name string) (draft, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return draft{f, func() error { return nil }}, err
}
