package wire

import (
	"errors"
	"fmt"
	"io"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ErrPortTaken means that another socket of this namespace uses the port.
var ErrPortTaken = errors.New("port is taken")

// Reserve binds a TCP socket to local, so that no other process uses the port while a crafted flow does. The socket
// does not listen. Close it after the flow's end. The error wraps ErrPortTaken if another port may be free.
func Reserve(local netip.AddrPort) (io.Closer, error) {
	family, address := socketAddress(local)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return nil, fmt.Errorf("reserving %s: %w", local, err)
	}
	err = unix.Bind(fd, address)
	if err == nil {
		return reserved(fd), nil
	}
	unix.Close(fd)
	if errors.Is(err, unix.EADDRINUSE) {
		err = ErrPortTaken
	}
	return nil, fmt.Errorf("reserving %s: %w", local, err)
}

// reserved is the file descriptor of a bound socket.
type reserved int

func (r reserved) Close() error { return unix.Close(int(r)) }

func socketAddress(a netip.AddrPort) (family int, address unix.Sockaddr) {
	if ip := a.Addr().Unmap(); ip.Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Addr: ip.As4(), Port: int(a.Port())}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}
