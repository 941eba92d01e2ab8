package clsact

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/sys/unix"
)

// prefix is the start of the names of an owner's filters and leases.
func prefix(owner string) string { return "tcpprobe-" + owner + "/" }

// lease marks the filters of a live process, so that they differ from those that a dead process left. It is an abstract
// unix socket. Its name belongs to the network namespace, as the filters do. The kernel frees the name when the process
// ends in any way.
type lease struct {
	owner, id string
	socket    int
}

func takeLease(owner string) (*lease, error) {
	l := &lease{owner: owner, id: fmt.Sprintf("%016x", rand.Uint64())}
	taken, err := l.take()
	if err != nil || !taken {
		return nil, fmt.Errorf("marking the %s as alive: %w", owner, err)
	}
	return l, nil
}

// take reports false if a live process holds the lease.
func (l *lease) take() (bool, error) {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	if err := unix.Bind(socket, &unix.SockaddrUnix{Name: "@" + prefix(l.owner) + l.id}); err != nil {
		unix.Close(socket)
		if errors.Is(err, unix.EADDRINUSE) {
			return false, nil
		}
		return false, err
	}
	l.socket = socket
	return true, nil
}

// filterName is the name of the holder's filters.
func (l *lease) filterName() string { return prefix(l.owner) + l.id }

// leaseOf parses the name of an owner's filter. Earlier versions put more behind the lease.
func leaseOf(owner, filterName string) (l *lease, ok bool) {
	id, ok := strings.CutPrefix(filterName, prefix(owner))
	id, _, _ = strings.Cut(id, "/")
	return &lease{owner: owner, id: id}, ok
}

func (l *lease) Close() error { return unix.Close(l.socket) }
