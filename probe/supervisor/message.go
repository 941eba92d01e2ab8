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

// message is the form in which a Task is sent to the worker. First come four bytes with the length of the JSON; if
// there is a guard, its descriptors come with them. Then comes the JSON. The spill is inherited and not sent.
type message struct {
	Task
	Ledger  bool `json:"ledger,omitempty"` // the worker has inherited a ledger
	Spilled bool `json:"spilled,omitempty"`
	Guarded int  `json:"guarded,omitempty"` // index of the device to which the guard is attached; 0: there is no guard
}

const headerLength = 4

func header(length int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(length)) }

// assignment is a received message with its descriptors.
type assignment struct {
	message
	guard *guard.Guard // nil: the run makes one
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

// receiveHeader reads the length of a message and the descriptors that came with it.
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
