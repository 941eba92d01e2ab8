// Package capture writes what a run sent and saw as pcapng, for Wireshark and its like: each packet with
// a comment that says what it was for, the verdicts in the comment of the file. What was sent is whole;
// of what came back there are the headers, never what a peer said.
package capture

import (
	"bufio"
	"fmt"
	"io"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// Recorder writes the packets of a run to a File's spill, from many goroutines. It keeps no packet in
// memory, only the numbers of the flows: some 150 bytes each.
type Recorder struct {
	mu    sync.Mutex
	out   *bufio.Writer
	flows flows
	block []byte // of the last record
	err   error
}

// NewRecorder returns a Recorder to the spill of a File, which may be another process's.
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

// Flush sees that everything recorded is in the spill, and returns the first error since the beginning. It may
// be called on nil.
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
