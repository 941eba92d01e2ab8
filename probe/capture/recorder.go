// Package capture writes the packets of a run as a pcapng file for Wireshark and similar tools. Each packet has a
// comment that says what it was sent for. The comment of the file has the verdicts. Sent packets are complete. Of
// received packets only the headers are kept, never the peer's payload.
package capture

import (
	"bufio"
	"fmt"
	"io"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// Recorder writes the packets of a run to the spill of a File. It is safe for concurrent use. It keeps no packets in
// memory, only about 150 bytes for each flow.
type Recorder struct {
	mu    sync.Mutex
	out   *bufio.Writer
	flows flows
	block []byte // buffer that is used again for each record
	err   error
}

// NewRecorder returns a Recorder that writes to the spill of a File. The File may belong to another process.
func NewRecorder(spill io.Writer) *Recorder {
	return &Recorder{out: bufio.NewWriterSize(spill, 1<<16)}
}

// Record adds one packet. Errors are kept for Flush.
func (c *Recorder) Record(r conn.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = c.add(r)
	}
}

func (c *Recorder) add(r conn.Record) error {
	p, err := c.flows.packet(r)
	if err != nil {
		return err
	}
	c.block = p.append(c.block[:0])
	_, err = c.out.Write(c.block)
	return err
}

// Flush writes buffered records to the spill and returns the first error since the beginning. On nil it does nothing.
func (c *Recorder) Flush() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = c.out.Flush()
	}
	if c.err != nil {
		return fmt.Errorf("record packets: %w", c.err)
	}
	return nil
}
