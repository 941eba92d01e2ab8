package supervisor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// File descriptors that a worker shares with its parent. They follow standard input, output and error.
const (
	ledgerFD = 3 + iota // only if the worker has one
	taskFD
	reportFD
	spillFD // only if the worker has one
)

// Connection is the parent's side of the connection with a worker. Tasks are sent over a stream socket: see message.
// Reports come back over a pipe, one line of JSON each. The worker ends when the parent closes its end of the socket.
type Connection struct {
	tasks     *os.File
	reports   *os.File
	lines     *bufio.Reader // reports, one a line
	inherited []*os.File    // files that the worker inherits, from ledgerFD on
}

// Connect makes the socket and the pipe. ledger takes the worker's live flows, and spill the packets of those tasks
// that record them. Both may be nil.
func Connect(ledger, spill *os.File) (*Connection, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	task, tasks := os.NewFile(uintptr(ends[0]), "task"), os.NewFile(uintptr(ends[1]), "task")
	reports, document, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, task.Close(), tasks.Close())
	}
	c := &Connection{tasks, reports, bufio.NewReader(reports), []*os.File{ledger, task, document}}
	if spill != nil {
		c.inherited = append(c.inherited, spill)
	}
	return c, nil
}

// Files returns the files that the worker's process must inherit after the three standard files. nil means that the
// descriptor stays closed.
func (c *Connection) Files() []*os.File { return c.inherited }

// Inherited closes the worker's ends in the parent. It must be called once the worker has inherited them or will not be
// started.
func (c *Connection) Inherited() error {
	return errors.Join(c.inherited[taskFD-ledgerFD].Close(), c.inherited[reportFD-ledgerFD].Close())
}

// Send sends a task to the worker, and the guard if it is not nil. It closes the guard in this process.
func (c *Connection) Send(t Task, h *guard.Handover) error {
	m := message{Task: t, Ledger: c.inherited[0] != nil, Spilled: t.Spill != nil}
	var rights []byte
	if h != nil {
		defer h.Close()
		m.Guarded, rights = h.Device(), unix.UnixRights(h.Descriptors()...)
	}
	document, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("hand the task to the worker: %w", err)
	}
	if err := unix.Sendmsg(int(c.tasks.Fd()), header(len(document)), rights, nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("hand the guard to the worker: %w", err)
	}
	if _, err := c.tasks.Write(document); err != nil {
		return fmt.Errorf("hand the task to the worker: %w", err)
	}
	return nil
}

// Receive waits for the report of the last task that was sent. If the task asks for results as soon as they are there,
// partial reports come first.
func (c *Connection) Receive() (report.Report, error) {
	var line []byte
	for {
		piece, err := c.lines.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(line) > 0:
			return report.ReadWhole(bytes.NewReader(line))
		case !errors.Is(err, bufio.ErrBufferFull):
			return report.Report{}, err
		case len(line) > report.MaxReport:
			return report.Report{}, errors.New("the worker's report is too long")
		}
	}
}

// Close makes the worker end.
func (c *Connection) Close() error { return errors.Join(c.tasks.Close(), c.reports.Close()) }
