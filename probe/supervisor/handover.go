package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// A task is handed over by a stream socket: one byte, with which the descriptors of a guard come if there is one, then
// the task as JSON.

// handed is a Task on its way to the worker, which inherits the spill.
type handed struct {
	Task
	Spilled bool `json:"spilled,omitempty"`
	Guarded int  `json:"guarded,omitempty"` // index of the device at which the guard stands; 0: there is none
}

// pair is the two ends of a socket.
func pair() (worker, supervisor *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(ends[0]), "task"), os.NewFile(uintptr(ends[1]), "task"), nil
}

// hand gives the task to the worker, and a guard that is not nil, which it closes.
func (t Task) hand(socket *os.File, h *guard.Handover) error {
	document := handed{Task: t, Spilled: t.Spill != nil}
	var rights []byte
	if h != nil {
		defer h.Close()
		document.Guarded, rights = h.Device(), unix.UnixRights(h.Descriptors()...)
	}
	if err := unix.Sendmsg(int(socket.Fd()), []byte{0}, rights, nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("hand the guard to the worker: %w", err)
	}
	if err := json.NewEncoder(socket).Encode(document); err != nil {
		return fmt.Errorf("hand the task to the worker: %w", err)
	}
	return nil
}

// accept takes the task over from the supervisor, and the guard if it comes with one.
func accept(socket *os.File) (Task, *guard.Guard, error) {
	descriptors, err := receive(int(socket.Fd()))
	if err != nil {
		return Task{}, nil, fmt.Errorf("read the worker's task: %w; only a supervisor starts a worker", err)
	}
	var d handed
	if err := json.NewDecoder(socket).Decode(&d); err != nil {
		return Task{}, nil, fmt.Errorf("read the worker's task: %w; only a supervisor starts a worker", err)
	}
	if d.Spilled {
		d.Spill = os.NewFile(spillFD, "spill of a capture")
	}
	if d.Guarded == 0 {
		return d.Task, nil, nil
	}
	g, err := guard.Adopt(d.Guarded, descriptors)
	return d.Task, g, err
}

// receive reads the first byte and the descriptors that came with it.
func receive(socket int) ([]int, error) {
	control := make([]byte, unix.CmsgSpace(4*guard.Descriptors))
	n, size, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	switch {
	case err != nil:
		return nil, os.NewSyscallError("recvmsg", err)
	case n == 0:
		return nil, errors.New("nothing came")
	case size == 0:
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil {
		return nil, err
	}
	return unix.ParseUnixRights(&messages[0])
}
