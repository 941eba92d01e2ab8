package supervisor

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// message is a Task on its way to the worker, which inherits the spill. It is sent as the length of its JSON in four
// bytes, with which the descriptors of a guard come if there is one, and then the JSON.
type message struct {
	Task
	Ledger  bool `json:"ledger,omitempty"` // the worker has inherited one
	Spilled bool `json:"spilled,omitempty"`
	Guarded int  `json:"guarded,omitempty"` // index of the device at which the guard stands; 0: there is none
}

const headerLength = 4

func header(length int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(length)) }

// assignment is a message with what came beside it.
type assignment struct {
	message
	guard *guard.Guard // nil: the run makes it
}

// errNoTask means that the parent has closed its end of the socket.
var errNoTask = errors.New("no further task")

// receiveTask waits for the next task from the parent.
func receiveTask(socket *os.File) (a assignment, err error) {
	length, descriptors, err := receiveHeader(int(socket.Fd()))
	if err != nil {
		return a, fmt.Errorf("read the worker's task: %w; only a supervisor starts a worker", err)
	}
	if err := json.NewDecoder(io.LimitReader(socket, int64(length))).Decode(&a.message); err != nil {
		return a, fmt.Errorf("read the worker's task: %w; only a supervisor starts a worker", err)
	}
	if a.Guarded != 0 {
		a.guard, err = guard.Adopt(a.Guarded, descriptors)
	}
	return a, err
}

// receiveHeader reads a message's length and the descriptors that came with it.
func receiveHeader(socket int) (length uint32, descriptors []int, err error) {
	header, control := make([]byte, headerLength), make([]byte, unix.CmsgSpace(4*guard.Descriptors))
	n, size, _, _, err := unix.Recvmsg(socket, header, control, unix.MSG_CMSG_CLOEXEC|unix.MSG_WAITALL)
	switch {
	case err != nil:
		return 0, nil, os.NewSyscallError("recvmsg", err)
	case n < headerLength:
		return 0, nil, errNoTask
	}
	length = binary.BigEndian.Uint32(header)
	if size == 0 {
		return length, nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil {
		return 0, nil, err
	}
	descriptors, err = unix.ParseUnixRights(&messages[0])
	return length, descriptors, err
}
