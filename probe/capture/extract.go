package capture

import (
	"errors"
	"fmt"
	"io"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Extract writes the capture of a report to a file. An existing file is replaced, but nothing that is not a regular
// file.
func Extract(r report.Report, name string) error {
	if len(r.Capture) == 0 {
		return errors.New("the report has no capture: only those with a Fail have one")
	}
	if err := Check(r.Capture); err != nil {
		return fmt.Errorf("the report's capture: %w", err)
	}
	if err := checkRegularFile(name); err != nil {
		return err
	}
	return publish(name, func(w io.Writer) error {
		_, err := w.Write(r.Capture)
		return err
	})
}

// ErrNoCapture means that the bytes are not a capture as this package writes it.
var ErrNoCapture = errors.New("not a capture")

// Check returns an error unless b is a complete capture as this package writes it: one section, one interface and
// packet blocks. The error wraps ErrNoCapture.
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
