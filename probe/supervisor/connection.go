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

// Where a worker finds what it shares with its parent: behind the three standard files.
const (
	ledgerFD = 3 + iota // of a worker that has one
	taskFD
	reportFD
	spillFD // of a worker that has one
)

// Connection is the parent's side of what it shares with a worker. Tasks go out by a stream socket: see message. Their
// reports come back by a pipe, each as one line of JSON. The worker ends when the parent's end of the socket is closed.
type Connection struct {
	tasks     *os.File
	reports   *os.File
	lines     *bufio.Reader // of reports
	inherited []*os.File    // by the worker, from ledgerFD on
}

// Connect makes what a worker and its parent share. A ledger that is not nil takes the worker's live flows, and a spill
// that is not nil the packets of those tasks that have it.
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

// Files are what the worker's process has to inherit behind the three standard files. Those that are nil stay closed.
func (c *Connection) Files() []*os.File { return c.inherited }

// Inherited closes what only the worker needs, once it has that or will never have it.
func (c *Connection) Inherited() error {
	return errors.Join(c.inherited[taskFD-ledgerFD].Close(), c.inherited[reportFD-ledgerFD].Close())
}

// Send gives the worker a task, and a guard that is not nil, which it closes.
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

// maxReport bounds the line that a worker can have its parent keep, as report.ReadWhole does.
const maxReport = 64 << 20

// Receive waits for the report of the task that was sent last.
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
		case len(line) > maxReport:
			return report.Report{}, errors.New("the worker's report is too long")
		}
	}
}

// Close lets the worker end.
func (c *Connection) Close() error { return errors.Join(c.tasks.Close(), c.reports.Close()) }
