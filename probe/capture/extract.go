package capture

import (
	"errors"
	"fmt"
	"io"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Extract leaves the capture that a report carries under the given name, where no file, or an ordinary one,
// may be.
func Extract(r report.Report, name string) error {
	if len(r.Capture) == 0 {
		return errors.New("the report has no capture: only those with a Fail have one")
	}
	if err := Check(r.Capture); err != nil {
		return fmt.Errorf("the report's capture: %w", err)
	}
	if err := ordinary(name); err != nil {
		return err
	}
	return publish(name, func(w io.Writer) error {
		_, err := w.Write(r.Capture)
		return err
	})
}

// ErrNoCapture means that bytes are no capture of this package.
var ErrNoCapture = errors.New("not a capture")

// Check reports whether b is what this package writes: one section, one interface and packets, all whole. The error
// wraps ErrNoCapture.
func Check(b []byte) error {
	for i, offset := 0, 0; ; i++ {
		rest := b[offset:]
		if len(rest) == 0 && i >= 2 {
			return nil
		}
		if len(rest) < 12 {
			return fmt.Errorf("%w: cut after %d bytes", ErrNoCapture, len(b))
		}
		kind, size := little.Uint32(rest), int64(little.Uint32(rest[4:]))
		if want := []uint32{sectionBlock, interfaceBlock, packetBlock}[min(i, 2)]; kind != want {
			return fmt.Errorf("%w: block %d is of kind %#x, want %#x", ErrNoCapture, i, kind, want)
		}
		if size < 12 || size%4 != 0 || size > int64(len(rest)) || int64(little.Uint32(rest[size-4:])) != size {
			return fmt.Errorf("%w: block %d has an impossible size, %d bytes", ErrNoCapture, i, size)
		}
		offset += int(size)
	}
}
