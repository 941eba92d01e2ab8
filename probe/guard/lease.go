package guard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	filterPrefix = "tcpprobe-guard/"
	ownQdisc     = "/own-qdisc"
)

// lease is how a later guard tells a live one's clsact filters from a crashed one's: an abstract unix
// socket, whose name belongs to the network namespace as the filters do and is free again as soon as
// its process is dead, however it died.
type lease struct {
	id     string
	socket int
}

func takeLease() (*lease, error) {
	l := &lease{id: fmt.Sprintf("%016x", rand.Uint64())}
	taken, err := l.take()
	if err != nil || !taken {
		return nil, fmt.Errorf("marking the guard as alive: %w", err)
	}
	return l, nil
}

// take reports false if a live process holds the lease.
func (l *lease) take() (bool, error) {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	if err := unix.Bind(socket, &unix.SockaddrUnix{Name: "@" + filterPrefix + l.id}); err != nil {
		unix.Close(socket)
		if errors.Is(err, unix.EADDRINUSE) {
			return false, nil
		}
		return false, err
	}
	l.socket = socket
	return true, nil
}

// filterName is what the holder's filters are called; it says whether their qdisc is the holder's too.
func (l *lease) filterName(madeQdisc bool) string {
	name := filterPrefix + l.id
	if madeQdisc {
		name += ownQdisc
	}
	return name
}

// leaseOf reads a filter's name.
func leaseOf(filterName string) (l *lease, madeQdisc, ok bool) {
	id, ok := strings.CutPrefix(filterName, filterPrefix)
	id, madeQdisc = strings.CutSuffix(id, ownQdisc)
	return &lease{id: id}, madeQdisc, ok
}

func (l *lease) Close() error { return unix.Close(l.socket) }
